// The list of functions: one line for each.
#include "expr/function_list.h"

#include <algorithm>
#include <array>

#include "expr/functions/functions.h"

namespace elanus::expr {
namespace {

constexpr auto kFunctions = std::to_array<Function>({
    {"array_contains", true, BindContains},
    {"array_contains_all", true, BindContainsAll},
    {"array_contains_any", true, BindContainsAny},
    {"array_length", true, BindArrayLength},
    {"element_filter", true, BindElementFilter, "", true},
    {"empty", false, BindEmpty},
    {"json_contains", true, BindContains},
    {"json_contains_all", true, BindContainsAll},
    {"json_contains_any", true, BindContainsAny},
    {"match_all", true, BindMatchAll, "", true},
    {"match_any", true, BindMatchAny, "", true},
    {"match_exact", true, BindMatchExact, "threshold", true},
    {"match_least", true, BindMatchLeast, "threshold", true},
    {"match_most", true, BindMatchMost, "threshold", true},
    {"phrase_match", true, BindPhraseMatch},
    {"random_sample", true, BindRandomSample},
    {"st_contains", true, BindSpatialRelation},
    {"st_crosses", true, BindSpatialRelation},
    {"st_dwithin", true, BindDistanceWithin},
    {"st_equals", true, BindSpatialRelation},
    {"st_intersects", true, BindSpatialRelation},
    {"st_isvalid", true, BindIsValid},
    {"st_overlaps", true, BindSpatialRelation},
    {"st_touches", true, BindSpatialRelation},
    {"st_within", true, BindSpatialRelation},
    {"starts_with", false, BindStartsWith},
    {"text_match", true, BindTextMatch, "minimum_should_match"},
    {"text_match_fuzzy", true, BindTextMatchFuzzy, "max_edit_distance"},
});

const Function* Find(std::string_view name, bool is_keyword) {
  for (const Function* function : AllFunctions()) {
    if (function->name == name && function->is_keyword == is_keyword) return function;
  }
  return nullptr;
}

}  // namespace

std::span<const Function* const> AllFunctions() {
  static const auto kAll = [] {
    std::array<const Function*, kFunctions.size()> all{};
    std::transform(kFunctions.begin(), kFunctions.end(), all.begin(),
                   [](const Function& function) { return &function; });
    return all;
  }();
  return kAll;
}

const Function* FindKeyword(std::string_view word) {
  const std::string lower = Lower(word);
  const bool is_upper =
      std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return word == lower || is_upper ? Find(lower, /*is_keyword=*/true) : nullptr;
}

const Function* FindFunction(std::string_view name) {
  return Find(Lower(name), /*is_keyword=*/false);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace elanus::expr
