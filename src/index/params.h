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

enum class ParamKind : uint8_t { kInteger, kNumber, kBool, kChoice };

/// One parameter an index type knows.
struct ParamSpec {
  std::string_view name;
  Phase phase;
  ParamKind kind;
  double default_value;  // Of a search parameter that follows k: see the type.
  double min;            // Of numbers; inclusive, as max.
  double max;
  std::string_view help;
  std::span<const std::string_view> choices = {};  // In lower case; users may write any,
  bool exact_case = false;                         // unless only the choices' own is right.
};

/// Checked values by name: numbers, 0 or 1 of a bool, the place of a choice among its spec's.
/// Absent means: take the spec's default.
class Params {
 public:
  Params() = default;
  void Set(std::string_view name, double value) { values_[std::string(name)] = value; }
  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }
  double Get(std::string_view name, double fallback) const {
    const auto it = values_.find(name);
    return it == values_.end() ? fallback : it->second;
  }
  bool GetBool(std::string_view name, bool fallback) const { return Get(name, fallback) != 0; }
  int64_t GetInt(std::string_view name, int64_t fallback) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : static_cast<int64_t>(found->second);
  }

 private:
  std::map<std::string, double, std::less<>> values_;
};

/// Reads `specs` of `phase` out of name -> text. Unknown names are ignored. An integer must parse
/// whole ("8.0", "abc" are refused); values outside [min, max] and unknown choices are refused; the
/// message names parameter, value and what is allowed. Errors: kInvalidParameter.
Result<Params> ParseParams(std::span<const ParamSpec> specs, Phase phase,
                           const std::map<std::string, std::string>& texts);

}  // namespace elanus::index
