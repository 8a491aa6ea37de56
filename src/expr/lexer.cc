// Filter text to tokens.
#include "expr/lexer.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "expr/function_list.h"

namespace elanus::expr {
namespace {

struct Spelling {
  std::string_view text;
  TokenKind kind;
};

constexpr auto kWords = std::to_array<Spelling>({
    {"and", TokenKind::kAnd},
    {"AND", TokenKind::kAnd},
    {"or", TokenKind::kOr},
    {"OR", TokenKind::kOr},
    {"not", TokenKind::kNot},
    {"NOT", TokenKind::kNot},
    {"in", TokenKind::kIn},
    {"IN", TokenKind::kIn},
    {"like", TokenKind::kLike},
    {"LIKE", TokenKind::kLike},
    {"exists", TokenKind::kExists},
    {"EXISTS", TokenKind::kExists},
    {"iso", TokenKind::kIso},
    {"ISO", TokenKind::kIso},
    {"interval", TokenKind::kInterval},
    {"INTERVAL", TokenKind::kInterval},
    {"minimum_should_match", TokenKind::kOptionWord},
    {"MINIMUM_SHOULD_MATCH", TokenKind::kOptionWord},
    {"threshold", TokenKind::kOptionWord},
    {"THRESHOLD", TokenKind::kOptionWord},
});

// Longer ones first: the longest match wins.
constexpr auto kSigns = std::to_array<Spelling>({
    {"&&", TokenKind::kAnd},        {"||", TokenKind::kOr},
    {"=~", TokenKind::kMatches},    {"!~", TokenKind::kNotMatches},
    {"<=", TokenKind::kLessEqual},  {">=", TokenKind::kGreaterEqual},
    {"==", TokenKind::kEqual},      {"!=", TokenKind::kNotEqual},
    {"**", TokenKind::kPower},      {"<<", TokenKind::kShiftLeft},
    {">>", TokenKind::kShiftRight}, {"<", TokenKind::kLess},
    {">", TokenKind::kGreater},     {"=", TokenKind::kAssign},
    {"+", TokenKind::kPlus},        {"-", TokenKind::kMinus},
    {"*", TokenKind::kStar},        {"/", TokenKind::kSlash},
    {"%", TokenKind::kPercent},     {"&", TokenKind::kAmpersand},
    {"|", TokenKind::kPipe},        {"^", TokenKind::kCaret},
    {"~", TokenKind::kTilde},       {"!", TokenKind::kBang},
    {"(", TokenKind::kOpenParen},   {")", TokenKind::kCloseParen},
    {"[", TokenKind::kOpenBracket}, {"]", TokenKind::kCloseBracket},
    {"{", TokenKind::kOpenBrace},   {"}", TokenKind::kCloseBrace},
    {",", TokenKind::kComma},
});

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void AppendUtf8(std::string& to, uint32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6);
    to += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | code >> 12);
    to += static_cast<char>(0x80 | (code >> 6 & 63));
    to += static_cast<char>(0x80 | (code & 63));
  } else {
    to += static_cast<char>(0xF0 | code >> 18);
    to += static_cast<char>(0x80 | (code >> 12 & 63));
    to += static_cast<char>(0x80 | (code >> 6 & 63));
    to += static_cast<char>(0x80 | (code & 63));
  }
}

Status Boolean(Token& token, bool value) {
  token.kind = TokenKind::kBool;
  token.value = value;
  return {};
}

// Path keys are not unescaped but for \uXXXX.
std::string DecodeKey(std::string_view raw) {
  std::string key;
  for (size_t i = 0; i < raw.size(); ++i) {
    uint32_t code = 0;
    bool good = raw[i] == '\\' && i + 5 < raw.size() && raw[i + 1] == 'u';
    for (size_t j = 0; good && j < 4; ++j) {
      const int digit = HexValue(raw[i + 2 + j]);
      good = digit >= 0;
      code = code * 16 + static_cast<uint32_t>(digit);
    }
    if (!good) {
      key += raw[i];
      continue;
    }
    AppendUtf8(key, code);
    i += 5;
  }
  return key;
}

}  // namespace

Result<Token> Lexer::Next() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) {
    ++at_;
  }
  Token token;
  token.offset = at_;
  if (at_ < text_.size()) TRY(One(token));
  return token;
}

Status Lexer::Fail(std::string_view what) const {
  return Invalid("{} {}", PlaceOf(text_, at_), what);
}

Status Lexer::One(Token& token) {
  const char c = Peek();
  if (c == '"' || c == '\'') return String(token, /*raw=*/false);
  if ((c == 'r' || c == 'R') && (Peek(1) == '"' || Peek(1) == '\'')) {
    ++at_;
    return String(token, /*raw=*/true);
  }
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number(token);
  if (IsLetter(c) || text_.substr(at_).starts_with("$meta")) return Word(token);
  if (text_.substr(at_).starts_with("$[")) return ElementVariable(token);
  for (const Spelling& sign : kSigns) {
    if (text_.substr(at_).starts_with(sign.text)) {
      token.kind = sign.kind;
      token.text = sign.text;
      at_ += sign.text.size();
      return {};
    }
  }
  // The whole character: half of one would make the message no text.
  size_t end = at_ + 1;
  while (end < text_.size() && (text_[end] & 0xC0) == 0x80) ++end;
  return Fail(fmt::format("token recognition error at: '{}'", text_.substr(at_, end - at_)));
}

Status Lexer::Number(Token& token) {
  const size_t begin = at_;
  const char second = Peek(1);
  if (Peek() == '0' && (second == 'b' || second == 'B') && (Peek(2) == '0' || Peek(2) == '1')) {
    at_ += 2;
    while (Peek() == '0' || Peek() == '1') ++at_;
    return Integer(token, text_.substr(begin + 2, at_ - begin - 2), 2, begin);
  }
  if (Peek() == '0' && (second == 'x' || second == 'X')) return HexNumber(token);
  while (IsDigit(Peek())) ++at_;
  bool is_float = false;
  if (Peek() == '.') {
    is_float = true;
    ++at_;
    while (IsDigit(Peek())) ++at_;
  }
  if (Peek() == 'e' || Peek() == 'E') {
    const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
    if (IsDigit(Peek(sign))) {
      is_float = true;
      at_ += sign;
      while (IsDigit(Peek())) ++at_;
    }
  }
  const std::string_view digits = text_.substr(begin, at_ - begin);
  if (is_float) return Float(token, digits, begin);
  if (digits.size() > 1 && digits[0] == '0') {
    // Octal ends before the first 8 or 9; what follows is a token of its own, which no rule
    // accepts.
    size_t end = 1;
    while (end < digits.size() && digits[end] < '8') ++end;
    at_ = begin + end;
    if (end == 1) {
      token.kind = TokenKind::kInt;
      token.text = "0";
      token.value = int64_t{0};
      return {};
    }
    return Integer(token, digits.substr(1, end - 1), 8, begin);
  }
  return Integer(token, digits, 10, begin);
}

Status Lexer::HexNumber(Token& token) {
  const size_t begin = at_;
  at_ += 2;
  const size_t first = at_;
  while (HexValue(Peek()) >= 0) ++at_;
  const size_t integer_end = at_;
  if (Peek() == '.') {
    ++at_;
    while (HexValue(Peek()) >= 0) ++at_;
  }
  if (Peek() == 'p' || Peek() == 'P') {
    const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
    if (IsDigit(Peek(sign))) {
      at_ += sign;
      while (IsDigit(Peek())) ++at_;
      return Float(token, text_.substr(begin, at_ - begin), begin);
    }
  }
  at_ = integer_end;
  if (integer_end == first) return Fail("token recognition error at: '0x'");
  return Integer(token, text_.substr(first, integer_end - first), 16, begin);
}

Status Lexer::Integer(Token& token, std::string_view digits, int base, size_t begin) {
  uint64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  token.kind = TokenKind::kInt;
  token.text = text_.substr(begin, at_ - begin);
  if (parsed.ec != std::errc() || value > uint64_t{1} << 63) {
    return Fail(fmt::format("integer out of range: {}", token.text));
  }
  token.is_int_minimum = value == uint64_t{1} << 63;
  token.value = static_cast<int64_t>(value);
  return {};
}

Status Lexer::Float(Token& token, std::string_view digits, size_t begin) {
  token.kind = TokenKind::kFloat;
  token.text = text_.substr(begin, digits.size());
  const double value = std::strtod(std::string(digits).c_str(), nullptr);
  if (!std::isfinite(value)) return Fail(fmt::format("float out of range: {}", token.text));
  token.value = value;
  return {};
}

Status Lexer::String(Token& token, bool raw) {
  token.kind = raw ? TokenKind::kRawString : TokenKind::kString;
  const char quote = Peek();
  const size_t begin = ++at_;
  while (Peek() != quote) {
    if (at_ >= text_.size() || Peek() == '\n' || Peek() == '\r') return Fail("unterminated string");
    if (Peek() != '\\') {
      token.text += text_[at_++];
      continue;
    }
    if (raw) {
      token.text += text_[at_++];
      if (at_ < text_.size()) token.text += text_[at_++];
      continue;
    }
    Escape(token);
  }
  token.raw = text_.substr(begin, at_ - begin);
  ++at_;
  return {};
}

// A pair that is no escape is kept with its backslash and noted: it is legal in the pattern of =~
// only.
void Lexer::Escape(Token& token) {
  static constexpr std::string_view kNames = "abfnrtv\\\"'";
  static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\\"'";
  const char c = Peek(1);
  if (const size_t found = kNames.find(c); c != '\0' && found != std::string_view::npos) {
    token.text += kValues[found];
    at_ += 2;
    return;
  }
  const auto digits = [&](size_t from, size_t count, int base, uint32_t& code) {
    code = 0;
    for (size_t i = 0; i < count; ++i) {
      const int digit = HexValue(Peek(from + i));
      if (digit < 0 || digit >= base) return false;
      code = code * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit);
    }
    return true;
  };
  uint32_t code;
  if (c == 'x' && digits(2, 2, 16, code)) {
    token.text += static_cast<char>(code);
    at_ += 4;
  } else if (c == 'u' && digits(2, 4, 16, code)) {
    AppendUtf8(token.text, code);
    at_ += 6;
  } else if (c == 'U' && digits(2, 8, 16, code) && code <= 0x10FFFF) {
    AppendUtf8(token.text, code);
    at_ += 10;
  } else if (digits(1, 3, 8, code) && code < 256) {
    token.text += static_cast<char>(code);
    at_ += 4;
  } else {
    token.has_bad_escape = true;
    token.text += text_[at_++];
    if (at_ < text_.size()) token.text += text_[at_++];
  }
}

Status Lexer::Word(Token& token) {
  const size_t begin = at_;
  if (Peek() == '$') ++at_;
  while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
  token.text = text_.substr(begin, at_ - begin);
  token.kind = TokenKind::kName;
  if (NullTest(token)) return {};
  for (std::string_view literal : {"true", "True", "TRUE"}) {
    if (token.text == literal) return Boolean(token, true);
  }
  for (std::string_view literal : {"false", "False", "FALSE"}) {
    if (token.text == literal) return Boolean(token, false);
  }
  for (const Spelling& word : kWords) {
    if (token.text == word.text) {
      token.kind = word.kind;
      return {};
    }
  }
  if (Peek() == '[') return Path(token);
  if (FindKeyword(token.text) != nullptr) token.kind = TokenKind::kFunction;
  return {};
}

// `is null` and `is not null` are one token each, with one space between the words.
bool Lexer::NullTest(Token& token) {
  if (token.text != "is" && token.text != "IS") return false;
  const bool upper = token.text == "IS";
  const std::string_view rest = text_.substr(at_);
  for (const auto& [spelling, kind] :
       {Spelling{upper ? " NOT NULL" : " not null", TokenKind::kIsNotNull},
        Spelling{upper ? " NULL" : " null", TokenKind::kIsNull}}) {
    const char after = rest.size() > spelling.size() ? rest[spelling.size()] : '\0';
    if (!rest.starts_with(spelling) || IsLetter(after) || IsDigit(after)) continue;
    token.kind = kind;
    at_ += spelling.size();
    return true;
  }
  return false;
}

// name["a"][0]..., without white space inside; name[sub] and name[0][sub] belong to struct
// arrays.
Status Lexer::Path(Token& token) {
  token.kind = TokenKind::kPath;
  while (Peek() == '[' && token.kind == TokenKind::kPath) TRY(Step(token));
  return {};
}

Status Lexer::Step(Token& token) {
  const size_t open = at_++;
  PathStep step;
  const bool raw = (Peek() == 'r' || Peek() == 'R') && (Peek(1) == '"' || Peek(1) == '\'');
  if (raw || Peek() == '"' || Peek() == '\'') {
    Token key;
    if (raw) ++at_;
    TRY(String(key, raw));
    step.key = raw ? key.text : DecodeKey(key.raw);
    if (step.key.empty()) return Fail("empty path key");
  } else if (IsDigit(Peek())) {
    const size_t begin = at_;
    while (IsDigit(Peek())) ++at_;
    step.key = text_.substr(begin, at_ - begin);
    const auto parsed =
        std::from_chars(step.key.data(), step.key.data() + step.key.size(), step.index);
    if (parsed.ec != std::errc() || (step.key.size() > 1 && step.key[0] == '0')) {
      return Fail("not an array index");
    }
    step.is_index = true;
  } else if (IsLetter(Peek())) {
    const size_t begin = at_;
    while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
    step.key = text_.substr(begin, at_ - begin);
    token.kind = TokenKind::kStructSub;
  } else {
    at_ = open;
    return Fail("extraneous input '['");
  }
  if (Peek() != ']') return Fail("missing ']' in a path");
  ++at_;
  token.path.push_back(std::move(step));
  return {};
}

Status Lexer::ElementVariable(Token& token) {
  at_ += 2;
  const size_t begin = at_;
  while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
  token.text = text_.substr(begin, at_ - begin);
  if (Peek() != ']' || token.text.empty()) return Fail("not an element variable");
  ++at_;
  token.kind = TokenKind::kElementVariable;
  return {};
}

std::string PlaceOf(std::string_view text, size_t offset) {
  size_t line = 1;
  size_t column = 0;
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 0;
    } else {
      ++column;
    }
  }
  return fmt::format("line {}:{}", line, column);
}

}  // namespace elanus::expr
