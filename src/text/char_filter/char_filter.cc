// Every char filter, by name, and where the bytes of changed texts come from.
#include "text/char_filter/char_filter.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace elanus::text {
namespace {

using nlohmann::json;
using Change = ChangedText::Change;

Result<CharFilterPtr> Mapping(const json& params) {
  const auto found = params.find("mappings");
  if (found == params.end() || !found->is_array()) {
    return Status(ErrorCode::kSegcore, "char filter mappings should be array");
  }
  std::vector<std::string> rows;
  for (const auto& item : *found) {
    if (!item.is_string()) {
      return Status(ErrorCode::kSegcore, "char filter mappings list item should be string");
    }
    rows.push_back(item.get<std::string>());
  }
  return MakeMapping(rows);
}

}  // namespace

void ChangedText::PointToSource(Tokens& tokens) const {
  if (changes.empty()) return;
  // What was taken out wholly stands before what begins at its place, and behind what ends there.
  const auto source_begin = [&](uint32_t at) {
    const auto behind = std::upper_bound(changes.begin(), changes.end(), at,
                                         [](uint32_t a, const Change& c) { return a < c.begin; });
    if (behind == changes.begin()) return at;
    const Change& change = *std::prev(behind);
    return at < change.end ? change.source_begin : change.source_end + (at - change.end);
  };
  const auto source_end = [&](uint32_t at) {
    const auto behind = std::lower_bound(changes.begin(), changes.end(), at,
                                         [](const Change& c, uint32_t a) { return c.begin < a; });
    if (behind == changes.begin()) return at;
    const Change& change = *std::prev(behind);
    return at <= change.end ? change.source_end : change.source_end + (at - change.end);
  };
  for (Token& token : tokens) {
    token.begin = source_begin(token.begin);
    token.end = std::max(token.begin, source_end(token.end));
  }
}

Result<CharFilterPtr> MakeCharFilter(const json& wanted) {
  if (wanted.is_string()) {
    return Error(ErrorCode::kSegcore, "char filter {} must be customized",
                 wanted.get_ref<const std::string&>());
  }
  if (!wanted.is_object()) return Status(ErrorCode::kSegcore, "char filter should be dict");
  const auto type = wanted.find("type");
  if (type == wanted.end()) {
    return Status(ErrorCode::kSegcore, "no type field in char filter params");
  }
  if (!type->is_string()) return Status(ErrorCode::kSegcore, "char filter type should be string");
  if (*type == "mapping") return Mapping(wanted);
  return Error(ErrorCode::kSegcore, "unsupport char filter type: {}",
               type->get_ref<const std::string&>());
}

}  // namespace elanus::text
