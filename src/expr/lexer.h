// Filter text to tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/scalar.h"

namespace elanus::expr {

enum class TokenKind {
  kEnd,
  kInt,
  kFloat,
  kBool,
  kString,
  kRawString,
  kName,
  kPath,
  kStructSub,
  kElementVariable,
  kAnd,
  kOr,
  kNot,
  kIn,
  kLike,
  kMatches,
  kNotMatches,
  kExists,
  kIsNull,
  kIsNotNull,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kPower,
  kAmpersand,
  kPipe,
  kCaret,
  kTilde,
  kShiftLeft,
  kShiftRight,
  kBang,
  kAssign,
  kOpenParen,
  kCloseParen,
  kOpenBracket,
  kCloseBracket,
  kOpenBrace,
  kCloseBrace,
  kComma,
  kReserved,  // A keyword of a part of the language that is not built yet: ISO, INTERVAL.
};

/// One step of a path: an object key or an array index.
struct PathStep {
  bool is_index = false;
  std::string key;  // The digits too, for an index: JSON objects may have such a key.
  uint64_t index = 0;
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t offset = 0;
  std::string text;  // As written; for strings the value, for kPath and kStructSub the base name.
  model::Scalar value;          // kInt, kFloat, kBool.
  bool is_int_minimum = false;  // 9223372036854775808: legal only under a unary minus.
  bool has_bad_escape =
      false;  // A string with a pair like "\d": legal only as the pattern of =~ and !~.
  std::vector<PathStep> path;
  std::string raw;  // Of a string: what stood between the quotes.
};

/// All tokens, the last one kEnd. Errors: kInvalidParameter with "line L:C".
Result<std::vector<Token>> Lex(std::string_view text);

/// "line L:C" of an offset, both from 1 and 0 as usual in parsers.
std::string PlaceOf(std::string_view text, size_t offset);

}  // namespace elanus::expr
