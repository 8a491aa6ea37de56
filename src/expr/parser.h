// Tokens to a syntax tree, by the precedence table of the language.
#pragma once

#include <memory>
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
    kTemplate,  // token.text
    kList,      // children
    kUnary,     // op, children[0]
    kBinary,    // op, children[0..1]; kIn with negated for "not in"
    kRange,     // children: low, path, high; op and op2 as written
    kExists,    // children[0]
    kIsNull,    // token; negated for "is not null"
    kCall,      // token.text, children
  };
  Kind kind = Kind::kLiteral;
  Token token;
  TokenKind op = TokenKind::kEnd;
  TokenKind op2 = TokenKind::kEnd;
  bool negated = false;
  int height = 1;  // Levels that binding recurses through; a chain of one of and, or is one level.
  std::vector<std::unique_ptr<Syntax>> children;

  Syntax() = default;
  /// Takes deep trees apart without recursion.
  ~Syntax();
};

/// How deep parentheses and operators may nest; `not (` takes two.
inline constexpr int kNestingMax = 4200;
/// How high a tree may get: `1+1+1+...` leans left without nesting, and binding, whose frames are
/// the larger ones, recurses through it.
inline constexpr int kHeightMax = 2100;

/// Errors: kInvalidParameter with "line L:C"; kUnimplemented for parts of the language not built
/// yet.
Result<std::unique_ptr<Syntax>> Parse(std::string_view text);

}  // namespace elanus::expr
