// Reading parameters.
#include "index/params.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace elanus::index {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return lower;
}

Result<double> ParseNumber(const ParamSpec& spec, const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  std::from_chars_result parsed{};
  if (spec.kind == ParamKind::kInteger) {
    int64_t integer = 0;
    parsed = std::from_chars(text.data(), end, integer);
    value = static_cast<double>(integer);
  } else {
    parsed = std::from_chars(text.data(), end, value);
  }
  const bool too_large = parsed.ec == std::errc::result_out_of_range;
  if (!too_large && (parsed.ec != std::errc() || parsed.ptr != end || std::isnan(value))) {
    return Invalid("type_conflict_in_json: parameter {} should be {}, got {}", spec.name,
                   spec.kind == ParamKind::kInteger ? "an integer" : "a number", text);
  }
  if (too_large || value < spec.min || value > spec.max) {
    return Invalid("out_of_range_in_json: parameter {} should be in range [{}, {}], got {}",
                   spec.name, spec.min, spec.max, text);
  }
  return value;
}

Result<double> ParseValue(const ParamSpec& spec, const std::string& text) {
  if (spec.kind == ParamKind::kInteger || spec.kind == ParamKind::kNumber) {
    return ParseNumber(spec, text);
  }
  const std::string lower = Lower(text);
  if (spec.kind == ParamKind::kBool) {
    if (lower == "true") return 1.0;
    if (lower == "false") return 0.0;
    return Invalid("type_conflict_in_json: parameter {} should be true or false, got {}", spec.name,
                   text);
  }
  const auto found =
      std::find(spec.choices.begin(), spec.choices.end(), spec.exact_case ? text : lower);
  if (found == spec.choices.end()) {
    return Invalid("invalid_value_in_json: parameter {} should be one of {}, got {}", spec.name,
                   fmt::join(spec.choices, ", "), text);
  }
  return static_cast<double>(found - spec.choices.begin());
}

}  // namespace

Result<Params> ParseParams(std::span<const ParamSpec> specs, Phase phase,
                           const std::map<std::string, std::string>& texts) {
  Params params;
  for (const ParamSpec& spec : specs) {
    if (spec.phase != phase) continue;
    const auto found = texts.find(std::string(spec.name));
    if (found == texts.end()) continue;
    TRY_ASSIGN(const double value, ParseValue(spec, found->second));
    params.Set(spec.name, value);
  }
  return params;
}

}  // namespace elanus::index
