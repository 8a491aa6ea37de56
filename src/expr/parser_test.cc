// The shape of syntax trees: precedence, associativity, limits.
#include "expr/parser.h"

#include <gtest/gtest.h>

#include <map>

namespace elanus::expr {
namespace {

std::string OperatorText(TokenKind op) {
  static const std::map<TokenKind, std::string> kTexts = {
      {TokenKind::kAnd, "and"},      {TokenKind::kOr, "or"},
      {TokenKind::kNot, "not"},      {TokenKind::kBang, "not"},
      {TokenKind::kIn, "in"},        {TokenKind::kLike, "like"},
      {TokenKind::kMatches, "=~"},   {TokenKind::kNotMatches, "!~"},
      {TokenKind::kLess, "<"},       {TokenKind::kLessEqual, "<="},
      {TokenKind::kGreater, ">"},    {TokenKind::kGreaterEqual, ">="},
      {TokenKind::kEqual, "=="},     {TokenKind::kNotEqual, "!="},
      {TokenKind::kPlus, "+"},       {TokenKind::kMinus, "-"},
      {TokenKind::kStar, "*"},       {TokenKind::kSlash, "/"},
      {TokenKind::kPercent, "%"},    {TokenKind::kPower, "**"},
      {TokenKind::kAmpersand, "&"},  {TokenKind::kPipe, "|"},
      {TokenKind::kCaret, "^"},      {TokenKind::kTilde, "~"},
      {TokenKind::kShiftLeft, "<<"}, {TokenKind::kShiftRight, ">>"}};
  const auto found = kTexts.find(op);
  return found == kTexts.end() ? "?" : found->second;
}

// The tree in prefix form: "a + b * c" is (+ a (* b c)).
std::string Shape(const Syntax& s) {
  std::string head;
  switch (s.kind) {
    case Syntax::Kind::kLiteral:
    case Syntax::Kind::kName:
    case Syntax::Kind::kPath:
      return s.token.text;
    case Syntax::Kind::kTemplate:
      return "{" + s.token.text + "}";
    case Syntax::Kind::kList:
      head = "list";
      break;
    case Syntax::Kind::kRange:
      head = "range " + OperatorText(s.op) + " " + OperatorText(s.op2);
      break;
    case Syntax::Kind::kExists:
      head = "exists";
      break;
    case Syntax::Kind::kIsNull:
      head = s.negated ? "is-not-null" : "is-null";
      break;
    case Syntax::Kind::kCall:
      head = "call " + s.token.text;
      break;
    default:
      head = (s.negated ? "not-" : "") + OperatorText(s.op);
  }
  for (const auto& child : s.children) head += " " + Shape(*child);
  return "(" + head + ")";
}

std::string ShapeOf(std::string_view text) {
  const auto syntax = Parse(text);
  return syntax.ok() ? Shape(**syntax) : "refused";
}

TEST(Parser, BindsTheTighterOperatorFirst) {
  EXPECT_EQ(ShapeOf("a or b and c"), "(or a (and b c))");
  EXPECT_EQ(ShapeOf("a and b | c"), "(and a (| b c))");
  EXPECT_EQ(ShapeOf("a | b ^ c"), "(| a (^ b c))");
  EXPECT_EQ(ShapeOf("a ^ b & c"), "(^ a (& b c))");
  EXPECT_EQ(ShapeOf("a & 4 == 4"), "(& a (== 4 4))");
  EXPECT_EQ(ShapeOf("a == b < c"), "(== a (< b c))");
  EXPECT_EQ(ShapeOf("a < b in c"), "(< a (in b c))");
  EXPECT_EQ(ShapeOf("a in b << c"), "(in a (<< b c))");
  EXPECT_EQ(ShapeOf("a << b + c"), "(<< a (+ b c))");
  EXPECT_EQ(ShapeOf("a + b * c"), "(+ a (* b c))");
  EXPECT_EQ(ShapeOf("a * -b"), "(* a (- b))");
  EXPECT_EQ(ShapeOf("-a ** b"), "(- (** a b))");
  EXPECT_EQ(ShapeOf("a ** b like c"), "(** a (like b c))");
  EXPECT_EQ(ShapeOf("exists a like b"), "(like (exists a) b)");
}

TEST(Parser, TakesOperatorsOfOneLevelFromTheLeft) {
  EXPECT_EQ(ShapeOf("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(ShapeOf("2 ** 3 ** 2"), "(** (** 2 3) 2)");
  EXPECT_EQ(ShapeOf("a or b or c"), "(or (or a b) c)");
  EXPECT_EQ(ShapeOf("a - (b - c)"), "(- a (- b c))");
}

TEST(Parser, GivesAPrefixOnlyWhatBindsTighter) {
  EXPECT_EQ(ShapeOf("not a > 1"), "(> (not a) 1)");
  EXPECT_EQ(ShapeOf("not a in [1]"), "(in (not a) (list 1))");
  EXPECT_EQ(ShapeOf("not s like \"x\""), "(not (like s x))");
  EXPECT_EQ(ShapeOf("not a is null"), "(not (is-null a))");
  EXPECT_EQ(ShapeOf("2 ** -1"), "(** 2 (- 1))");
  EXPECT_EQ(ShapeOf("1 + -2 * 3"), "(+ 1 (* (- 2) 3))");
  EXPECT_EQ(ShapeOf("!!a"), "(not (not a))");
}

TEST(Parser, ReadsNotInAsOneOperator) {
  EXPECT_EQ(ShapeOf("a not in [1, 2,]"), "(not-in a (list 1 2))");
  EXPECT_EQ(ShapeOf("a ! in []"), "(not-in a (list))");
  EXPECT_EQ(ShapeOf("a not like b"), "refused");
}

TEST(Parser, ChainsARangeOnlyAroundAPath) {
  EXPECT_EQ(ShapeOf("1 < a <= 5"), "(range < <= 1 a 5)");
  EXPECT_EQ(ShapeOf("5 >= j[0] > 1"), "(range >= > 5 j 1)");
  EXPECT_EQ(ShapeOf("1 < a > 5"), "(> (< 1 a) 5)");
  EXPECT_EQ(ShapeOf("1 < a + 1 < 5"), "(< (< 1 (+ a 1)) 5)");
  EXPECT_EQ(ShapeOf("1 < a < 5 + 1 and b"), "(and (range < < 1 a (+ 5 1)) b)");
}

TEST(Parser, ReadsCallsAndTheirCommas) {
  EXPECT_EQ(ShapeOf("f()"), "(call f)");
  EXPECT_EQ(ShapeOf("f(a, 1 + 2,)"), "(call f a (+ 1 2))");
  EXPECT_EQ(ShapeOf("array_length(a)"), "(call array_length a)");
  EXPECT_EQ(ShapeOf("array_length(a,)"), "refused");
  EXPECT_EQ(ShapeOf("f(,)"), "refused");
  EXPECT_EQ(ShapeOf("f(a b)"), "refused");
  EXPECT_EQ(ShapeOf("[,]"), "refused");
}

TEST(Parser, TakesKeywordsOfFunctionsForNothingElse) {
  EXPECT_EQ(ShapeOf("array_length == 1"), "refused");
  EXPECT_EQ(ShapeOf("threshold == 1"), "refused");
  EXPECT_EQ(ShapeOf("starts_with == 1"), "(== starts_with 1)");
}

TEST(Parser, RefusesOptionsOfFunctionsThatHaveNone) {
  for (const char* text : {"f(a = 1)", "starts_with(s, p = 1)", "array_length(threshold = 1)",
                           "array_contains(a, x = 1)", "[a = 1]", "f(1 = 1)", "f(a == 1 = 2)"}) {
    EXPECT_EQ(Parse(text).status().code(), ErrorCode::kInvalidParameter) << text;
  }
  EXPECT_TRUE(Parse("text_match(s, \"a\", minimum_should_match = 2)").ok());
  for (const char* text :
       {"text_match(s, \"a\", minimum_should_match = x)", "text_match(s, \"a\", threshold = 2)",
        "text_match(minimum_should_match = 2)", "text_match(s, minimum_should_match = 2, \"a\")",
        "text_match(s, \"a\", minimum_should_match = 2.5)", "text_match(s, \"a\", x = 2)"}) {
    EXPECT_EQ(Parse(text).status().code(), ErrorCode::kInvalidParameter) << text;
  }
  EXPECT_TRUE(Parse("match_least(s, $[a] > 1, threshold = 2)").ok());
}

TEST(Parser, NamesThePlaceOfWhatItDidNotExpect) {
  for (const auto& [text, words] : std::vector<std::pair<const char*, const char*>>{
           {"a ==", "line 1:4 mismatched input '<EOF>'"},
           {"a == )", "line 1:5 extraneous input ')'"},
           {"(a", "line 1:2 mismatched input '<EOF>'"},
           {"a\n b", "line 2:1 extraneous input 'b'"},
           {"", "line 1:0 mismatched input '<EOF>'"}}) {
    EXPECT_EQ(Parse(text).status().message(), words) << text;
  }
}

TEST(Parser, HoldsALongChainOfOneOperatorOneLevelHigh) {
  std::string chain = "a";
  for (int i = 0; i < 100'000; ++i) chain += " and a";
  EXPECT_LE((*Parse(chain))->height, 2);
}

std::string Repeated(std::string_view piece, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(Parser, NestsTwoThousandDeepAndEndsSomewhere) {
  for (const auto& [open, close] :
       std::vector<std::pair<const char*, const char*>>{{"(", ")"},
                                                        {"not (", ")"},
                                                        {"[", "]"},
                                                        {"f(", ")"},
                                                        {"not (a and ", ")"},
                                                        {"(a or ", ")"},
                                                        {"-", ""},
                                                        {"1 + (", ")"},
                                                        {"f(b, [", "])"}}) {
    const auto nested = [&](size_t depth) {
      return Repeated(open, depth) + "a" + Repeated(close, depth);
    };
    EXPECT_TRUE(Parse(nested(2000)).ok()) << open;
    const Status status = Parse(nested(1'000'000)).status();
    EXPECT_EQ(status.code(), ErrorCode::kInvalidParameter) << open;
    EXPECT_NE(status.message().find("nests too deep"), std::string_view::npos) << open;
  }
  EXPECT_FALSE(Parse("1" + Repeated("+1", 100'000)).ok());
}

}  // namespace
}  // namespace elanus::expr
