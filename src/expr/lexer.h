// Filter text to tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "expr/path_step.h"
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
  kFunction,    // The keyword of a function: array_length, JSON_CONTAINS, ...
  kOptionWord,  // A keyword that only names an option: minimum_should_match, threshold.
  kIso,
  kInterval,
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

/// Hands out the tokens of a text one after the other, so that a text refused early costs nothing
/// more. Borrows the text. Thread-compatible.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  /// The next token; kEnd for ever at the end. Errors: kInvalidParameter with "line L:C".
  Result<Token> Next();

 private:
  Status Fail(std::string_view what) const;
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Status One(Token& token);
  Status Number(Token& token);
  Status HexNumber(Token& token);
  Status Integer(Token& token, std::string_view digits, int base, size_t begin);
  Status Float(Token& token, std::string_view digits, size_t begin);
  Status String(Token& token, bool raw);
  void Escape(Token& token);
  Status Word(Token& token);
  bool NullTest(Token& token);
  Status Path(Token& token);
  Status Step(Token& token);
  Status ElementVariable(Token& token);

  std::string_view text_;
  size_t at_ = 0;
};

/// "line L:C" of an offset, both from 1 and 0 as usual in parsers.
std::string PlaceOf(std::string_view text, size_t offset);

}  // namespace elanus::expr
