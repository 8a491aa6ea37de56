// The list of functions: one line for each.
#include "expr/function_list.h"

#include <algorithm>
#include <array>

#include "expr/functions/functions.h"

namespace elanus::expr {
namespace {

// Keywords of parts of the language that are still to come.
constexpr auto kNotBuilt = std::to_array<Function>({
    {"st_equals", true},
    {"st_touches", true},
    {"st_overlaps", true},
    {"st_crosses", true},
    {"st_contains", true},
    {"st_intersects", true},
    {"st_within", true},
    {"st_dwithin", true},
    {"st_isvalid", true},
});

constexpr auto kBuilt = std::to_array<Function>({
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
    std::array<const Function*, kBuilt.size() + kNotBuilt.size()> all{};
    const auto address = [](const Function& function) { return &function; };
    auto end = std::transform(kBuilt.begin(), kBuilt.end(), all.begin(), address);
    std::transform(kNotBuilt.begin(), kNotBuilt.end(), end, address);
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

Status NotBuilt(std::string_view name) {
  return Error(ErrorCode::kUnimplemented, "{} in a filter is not supported yet", name);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace elanus::expr
