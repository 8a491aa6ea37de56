// Reading parameters.
#include "index/params.h"

#include <charconv>
#include <cmath>

namespace elanus::index {

Result<Params> ParseParams(std::span<const ParamSpec> specs, Phase phase,
                           const std::map<std::string, std::string>& texts) {
  Params params;
  for (const ParamSpec& spec : specs) {
    if (spec.phase != phase) continue;
    const auto found = texts.find(std::string(spec.name));
    if (found == texts.end()) continue;
    const std::string& text = found->second;
    double value = 0;
    const char* end = text.data() + text.size();
    std::from_chars_result parsed{};
    if (spec.is_integer) {
      int64_t integer = 0;
      parsed = std::from_chars(text.data(), end, integer);
      value = static_cast<double>(integer);
    } else {
      parsed = std::from_chars(text.data(), end, value);
    }
    if (parsed.ec == std::errc::result_out_of_range) {
      return Invalid("out_of_range_in_json: parameter {} should be in range [{}, {}], got {}",
                     spec.name, spec.min, spec.max, text);
    }
    if (parsed.ec != std::errc() || parsed.ptr != end || std::isnan(value)) {
      return Invalid("type_conflict_in_json: parameter {} should be {}, got {}", spec.name,
                     spec.is_integer ? "an integer" : "a number", text);
    }
    if (value < spec.min || value > spec.max) {
      return Invalid("out_of_range_in_json: parameter {} should be in range [{}, {}], got {}",
                     spec.name, spec.min, spec.max, text);
    }
    params.Set(spec.name, value);
  }
  return params;
}

}  // namespace elanus::index
