// Status: the cold parts.
#include "base/status.h"

namespace elanus {

Status::Status(ErrorCode code, std::string message)
    : state_(std::make_shared<const State>(State{code, std::move(message)})) {}

std::string Status::ToString() const {
  if (ok()) return {};
  const std::string_view base = InfoOf(code()).name;
  if (message().empty()) return std::string(base);
  // A message that opens with the base text already reads "base[name=value]...".
  if (message().starts_with(base)) return std::string(message());
  return fmt::format("{}: {}", message(), base);
}

Status Status::WithContext(std::string_view context) && {
  if (ok()) return {};
  return Status(code(), fmt::format("{}: {}", context, message()));
}

}  // namespace elanus
