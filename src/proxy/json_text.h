// Reads JSON that a client sent, with a bound on how deep it nests: printing and walking it
// recurse. Included by sources only, for its library's weight.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/status.h"

namespace elanus::proxy {

/// kInvalidParameter when `text` is no JSON or nests deeper than `depth_max`; the message names
/// `what`.
inline Result<nlohmann::json> ParseJson(std::string_view what, std::string_view text,
                                        int depth_max) {
  bool too_deep = false;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json&) {
    // `depth` counts the levels around what is met, so an opening bracket is one level deeper.
    const bool opens = event == nlohmann::json::parse_event_t::object_start ||
                       event == nlohmann::json::parse_event_t::array_start;
    too_deep = too_deep || depth + (opens ? 1 : 0) > depth_max;
    return !too_deep;
  };
  nlohmann::json json = nlohmann::json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep) return Invalid("{} nests deeper than {} levels", what, depth_max);
  if (json.is_discarded()) return Invalid("{} is not valid JSON", what);
  return json;
}

}  // namespace elanus::proxy
