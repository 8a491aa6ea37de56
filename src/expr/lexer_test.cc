// Tokens: numbers, strings, names, paths, and what is refused.
#include "expr/lexer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace elanus::expr {
namespace {

Result<std::vector<Token>> Lex(std::string_view text) {
  Lexer lexer(text);
  std::vector<Token> tokens;
  while (true) {
    TRY_ASSIGN(Token token, lexer.Next());
    if (token.kind == TokenKind::kEnd) return tokens;
    tokens.push_back(std::move(token));
  }
}

Token One(std::string_view text) {
  auto tokens = Lex(text);
  EXPECT_TRUE(tokens.ok()) << tokens.status().ToString();
  EXPECT_EQ(tokens->size(), 1u) << text;
  return tokens->at(0);
}

std::vector<TokenKind> Kinds(std::string_view text) {
  std::vector<TokenKind> kinds;
  const auto tokens = Lex(text);
  EXPECT_TRUE(tokens.ok()) << tokens.status().ToString();
  for (const Token& token : *tokens) kinds.push_back(token.kind);
  return kinds;
}

TEST(Lexer, ReadsIntegersInFourBases) {
  for (const auto& [text, value] :
       std::vector<std::pair<const char*, int64_t>>{{"0", 0},
                                                    {"42", 42},
                                                    {"024", 20},
                                                    {"0x1F", 31},
                                                    {"0X1f", 31},
                                                    {"0b101", 5},
                                                    {"9223372036854775807", INT64_MAX},
                                                    {"0x7fffffffffffffff", INT64_MAX}}) {
    EXPECT_EQ(One(text).kind, TokenKind::kInt) << text;
    EXPECT_EQ(One(text).value.as_int(), value) << text;
  }
  EXPECT_TRUE(One("9223372036854775808").is_int_minimum);
  EXPECT_FALSE(Lex("9223372036854775809").ok());
  EXPECT_FALSE(Lex("99999999999999999999999").ok());
}

TEST(Lexer, EndsAnOctalNumberBeforeADigitItCannotHave) {
  EXPECT_EQ(Kinds("08"), (std::vector{TokenKind::kInt, TokenKind::kInt}));
  EXPECT_EQ(Kinds("0179"), (std::vector{TokenKind::kInt, TokenKind::kInt}));
}

TEST(Lexer, ReadsFloats) {
  for (const auto& [text, value] : std::vector<std::pair<const char*, double>>{{"1.5", 1.5},
                                                                               {".5", 0.5},
                                                                               {"1.", 1},
                                                                               {"1e3", 1000},
                                                                               {"2.5E-1", 0.25},
                                                                               {"0x1p1", 2},
                                                                               {"0x1.8p3", 12},
                                                                               {"0e0", 0}}) {
    EXPECT_EQ(One(text).kind, TokenKind::kFloat) << text;
    EXPECT_EQ(One(text).value.as_double(), value) << text;
  }
  EXPECT_FALSE(Lex("1e400").ok());
  EXPECT_EQ(Kinds("1e"), (std::vector{TokenKind::kInt, TokenKind::kName}));
}

TEST(Lexer, DecodesEscapesOfStrings) {
  EXPECT_EQ(One(R"("a\tb\\\"\'")").text, "a\tb\\\"'");
  EXPECT_EQ(One(R"('\x41\101')").text, "AA");
  EXPECT_EQ(One(R"("\u4e2d\U0001F600")").text, "中😀");
  EXPECT_EQ(One("\"é中\"").text, "é中");
  EXPECT_EQ(One(R"('it is "so"')").text, R"(it is "so")");
  EXPECT_FALSE(One(R"("\\d")").has_bad_escape);
  for (const char* bad :
       {R"("\d")", R"("\%")", R"("\x4")", R"("\u12")", R"("\U00110000")", R"("\400")", R"("\9")"}) {
    EXPECT_TRUE(One(bad).has_bad_escape) << bad;
  }
}

TEST(Lexer, KeepsRawStringsVerbatim) {
  EXPECT_EQ(One(R"(r"a\%b")").text, R"(a\%b)");
  EXPECT_EQ(One(R"(R'\'')").text, R"(\')");
  EXPECT_EQ(One(R"(r"\d")").kind, TokenKind::kRawString);
}

TEST(Lexer, RefusesStringsWithoutAnEnd) {
  for (const char* bad : {"\"a", "'a\"", "\"a\nb\"", "\"a\\", "r\"a\\\"", "\"\\\""}) {
    EXPECT_FALSE(Lex(bad).ok()) << bad;
  }
}

TEST(Lexer, KnowsKeywordsInTwoCasesOnly) {
  EXPECT_EQ(Kinds("and AND And"),
            (std::vector{TokenKind::kAnd, TokenKind::kAnd, TokenKind::kName}));
  EXPECT_EQ(Kinds("true True TRUE tRUE"),
            (std::vector{TokenKind::kBool, TokenKind::kBool, TokenKind::kBool, TokenKind::kName}));
  EXPECT_EQ(Kinds("array_length ARRAY_LENGTH Array_length"),
            (std::vector{TokenKind::kFunction, TokenKind::kFunction, TokenKind::kName}));
  EXPECT_EQ(Kinds("threshold Threshold"), (std::vector{TokenKind::kOptionWord, TokenKind::kName}));
  EXPECT_EQ(Kinds("iso INTERVAL"), (std::vector{TokenKind::kIso, TokenKind::kInterval}));
  EXPECT_EQ(Kinds("starts_with inn"), (std::vector{TokenKind::kName, TokenKind::kName}));
}

TEST(Lexer, TakesNullTestsAsOneTokenWithOneSpace) {
  EXPECT_EQ(Kinds("is null IS NOT NULL"), (std::vector{TokenKind::kIsNull, TokenKind::kIsNotNull}));
  EXPECT_EQ(Kinds("is  null").front(), TokenKind::kName);
  EXPECT_EQ(Kinds("is nullable").front(), TokenKind::kName);
  EXPECT_EQ(Kinds("Is Null").front(), TokenKind::kName);
}

TEST(Lexer, TakesTheLongestSign) {
  EXPECT_EQ(
      Kinds("<=<<<**=~==="),
      (std::vector{TokenKind::kLessEqual, TokenKind::kShiftLeft, TokenKind::kLess,
                   TokenKind::kPower, TokenKind::kMatches, TokenKind::kEqual, TokenKind::kAssign}));
}

TEST(Lexer, ReadsPaths) {
  const Token token = One(R"(j["a b"]['c'][10][r"\d"])");
  EXPECT_EQ(token.kind, TokenKind::kPath);
  EXPECT_EQ(token.text, "j");
  ASSERT_EQ(token.path.size(), 4u);
  EXPECT_EQ(token.path[0].key, "a b");
  EXPECT_TRUE(token.path[2].is_index);
  EXPECT_EQ(token.path[2].index, 10u);
  EXPECT_EQ(token.path[3].key, "\\d");
  EXPECT_EQ(One(R"(j["\u4e2d\n"])").path[0].key, "中\\n") << "only \\u is decoded in a key";
  EXPECT_EQ(One("$meta[\"k\"]").text, "$meta");
  EXPECT_EQ(One("s[sub]").kind, TokenKind::kStructSub);
  EXPECT_EQ(One("s[3][sub]").kind, TokenKind::kStructSub);
  EXPECT_EQ(One("$[sub]").kind, TokenKind::kElementVariable);
  for (const char* bad : {"j[-1]", "j[00]", "j[1+1]", "j[\"\"]", "j[", "j[]", "j[1", "j[ 1]",
                          "j[99999999999999999999]", "$[", "$[]"}) {
    EXPECT_FALSE(Lex(bad).ok()) << bad;
  }
}

TEST(Lexer, RefusesOtherCharactersByPlace) {
  const auto tokens = Lex("n == 1\n and ;");
  EXPECT_EQ(tokens.status().code(), ErrorCode::kInvalidParameter);
  EXPECT_TRUE(tokens.status().message().starts_with("line 2:5 ")) << tokens.status().ToString();
  for (const char* bad : {"\xc2\xa0", "\f", "#", "n \x01", "$", "@", "é == 1"}) {
    EXPECT_FALSE(Lex(bad).ok()) << bad;
  }
  EXPECT_FALSE(Lex(std::string_view("\0", 1)).ok());
}

TEST(Lexer, QuotesTheWholeCharacterThatItRefuses) {
  for (const char* character : {"#", "\u00e9", "\u4e2d", "\U0001F600"}) {
    const auto tokens = Lex(std::string(character) + "\u00e9 == 1");
    EXPECT_EQ(tokens.status().message(),
              fmt::format("line 1:0 token recognition error at: '{}'", character));
  }
}

}  // namespace
}  // namespace elanus::expr
