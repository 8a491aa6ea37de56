// Every function of the filter language, by name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "expr/operand.h"

namespace elanus::expr {

/// One call whose arguments are bound.
struct Call {
  std::string_view name;  // Lower-case.
  std::span<const Operand> arguments;
  std::optional<int64_t> option = {};  // The value behind `name =`.
};

/// All that the language knows about a function. Plain functions, so that one is a constant.
struct Function {
  std::string_view name;  // Lower-case.
  /// Its name is a word of the language: all lower or all upper case, never a field. Other
  /// functions are called in any case.
  bool is_keyword = false;
  /// Checks the arguments and gives a condition, a constant, or a number to compare
  /// (Operand::Kind::kComputed). Errors: kInvalidParameter; kSegcore for what the reference finds
  /// only when the filter runs.
  Result<Operand> (*bind)(const Call& call) = nullptr;
  /// The option that a call may end with, `name = integer`; empty: none.
  std::string_view option = {};
  /// Its first argument is the name of a struct, its second a condition over one element of it.
  bool is_over_elements = false;
};

std::span<const Function* const> AllFunctions();
/// The function that `word` is a keyword of, or null.
const Function* FindKeyword(std::string_view word);
/// The function that is no keyword called `name`, in any case, or null.
const Function* FindFunction(std::string_view name);
/// ASCII letters only.
std::string Lower(std::string_view text);

}  // namespace elanus::expr
