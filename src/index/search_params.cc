// Parameters of searches.
#include "index/search_params.h"

namespace elanus::index {

Result<Params> ParseSearchParams(std::span<const ParamSpec> specs,
                                 const std::map<std::string, std::string>& texts) {
  Result<Params> params = ParseParams(specs, Phase::kSearch, texts);
  if (params.ok()) return params;
  return Error(ErrorCode::kSegcore, "failed to search: {}", params.status().message());
}

}  // namespace elanus::index
