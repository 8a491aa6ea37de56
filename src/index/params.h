// Parameters of an index: what the user wrote, checked against what a type declares.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::index {

enum class Phase : uint8_t { kBuild, kSearch };

/// One integer or number parameter an index type knows.
struct ParamSpec {
  std::string_view name;
  Phase phase;
  double default_value;  // Of a search parameter that follows k: see the type.
  double min;
  double max;
  bool is_integer;
  std::string_view help;
};

/// Checked values by name. Absent means: take the spec's default.
class Params {
 public:
  Params() = default;
  void Set(std::string_view name, double value) { values_[std::string(name)] = value; }
  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }
  double Get(std::string_view name, double fallback) const {
    const auto it = values_.find(name);
    return it == values_.end() ? fallback : it->second;
  }
  int64_t GetInt(std::string_view name, int64_t fallback) const {
    return static_cast<int64_t>(Get(name, static_cast<double>(fallback)));
  }

 private:
  std::map<std::string, double, std::less<>> values_;
};

/// Reads `specs` of `phase` out of name -> text. Unknown names are ignored. An integer must parse
/// whole
/// ("8.0", "abc" are refused); values outside [min, max] are refused; both name parameter, value
/// and range. Errors: kInvalidParameter.
Result<Params> ParseParams(std::span<const ParamSpec> specs, Phase phase,
                           const std::map<std::string, std::string>& texts);

}  // namespace elanus::index
