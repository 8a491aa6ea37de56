// Tokens to a syntax tree, by the precedence table of the language.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "expr/lexer.h"

namespace elanus::expr {

struct Syntax {
  enum class Kind {
    kLiteral,   // token
    kName,      // token
    kPath,      // token
    kSubField,  // token: name[sub] or name[0][sub] of a struct
    kElement,   // token: $[sub] of the element that is looked at
    kTemplate,  // token.text
    kList,      // children
    kUnary,     // op, children[0]
    kBinary,    // op, children[0..1]; kIn with negated for "not in"
    kRange,     // children: low, path, high; op and op2 as written
    kExists,    // children[0]
    kIsNull,    // token; negated for "is not null"
    kTime,      // token: the text behind ISO
    kInterval,  // token: the text behind INTERVAL
    kCall,      // token: the name, kFunction when it is a keyword; children
  };
  Kind kind = Kind::kLiteral;
  Token token;
  TokenKind op = TokenKind::kEnd;
  TokenKind op2 = TokenKind::kEnd;
  bool negated = false;
  std::optional<int64_t> option;  // kCall: the value of the option it ends with.
  int height = 1;                 // A chain of one of `and`, `or` is one level.
  std::vector<std::unique_ptr<Syntax>> children;

  Syntax() = default;
  /// Takes deep trees apart without recursion.
  ~Syntax();
};

/// How many parentheses, brackets, calls and operators may be open at once. They lie on the heap,
/// so this bounds memory, not the stack.
inline constexpr size_t kOpenMax = 16'000;
/// How high a tree may get. Only destroying a plan and copying nested lists recurse over it: at
/// this height they take less than 512 KiB of stack, 2 MiB under the address sanitizer (measured
/// with evaluate_test). `not (... and ...)` is two levels, so any filter may nest 2000 deep.
inline constexpr int kHeightMax = 4200;

/// Errors: kInvalidParameter with "line L:C"; kUnimplemented for parts of the language not built
/// yet.
Result<std::unique_ptr<Syntax>> Parse(std::string_view text);

}  // namespace elanus::expr
