// LIKE patterns: their class and what they match.
#include "expr/like.h"

#include <gtest/gtest.h>

namespace elanus::expr {
namespace {

using Kind = LikePattern::Kind;

LikePattern Make(std::string_view pattern) {
  auto made = LikePattern::Make(pattern);
  EXPECT_TRUE(made.ok()) << pattern;
  return std::move(made).value();
}
bool Matches(std::string_view text, std::string_view pattern) {
  return Make(pattern).Matches(text);
}

TEST(Like, SortsPatternsByTheirWildcards) {
  EXPECT_EQ(Make("").kind(), Kind::kEquals);
  EXPECT_EQ(Make("ab").kind(), Kind::kEquals);
  EXPECT_EQ(Make("%").kind(), Kind::kPrefix);
  EXPECT_EQ(Make("%%").kind(), Kind::kPrefix);
  EXPECT_EQ(Make("ab%").kind(), Kind::kPrefix);
  EXPECT_EQ(Make("%ab").kind(), Kind::kSuffix);
  EXPECT_EQ(Make("%ab%").kind(), Kind::kInfix);
  EXPECT_EQ(Make("a%b").kind(), Kind::kGeneral);
  EXPECT_EQ(Make("_").kind(), Kind::kGeneral);
  EXPECT_EQ(Make("a\\%%").literal(), "a%");
}

TEST(Like, MatchesTheWholeValueAndCase) {
  EXPECT_TRUE(Matches("abc", "abc"));
  EXPECT_FALSE(Matches("abc", "ab"));
  EXPECT_FALSE(Matches("abc", "ABC"));
  EXPECT_TRUE(Matches("", ""));
  EXPECT_TRUE(Matches("", "%"));
  EXPECT_FALSE(Matches("", "_"));
  EXPECT_TRUE(Matches("a\nb", "a%b"));
}

TEST(Like, TakesAnUnderscoreForOneCodePoint) {
  EXPECT_TRUE(Matches("é", "_"));
  EXPECT_TRUE(Matches("中文", "__"));
  EXPECT_FALSE(Matches("中", "___"));
  EXPECT_TRUE(Matches("a😀b", "a_b"));
  EXPECT_TRUE(Matches("\xff\xfe", "__")) << "stray bytes count as one each";
  EXPECT_TRUE(Matches("\xe4", "_")) << "a code point cut short";
}

TEST(Like, EscapesTheNextByte) {
  EXPECT_TRUE(Matches("100%", "100\\%"));
  EXPECT_FALSE(Matches("1000", "100\\%"));
  EXPECT_TRUE(Matches("a_b", "%\\_b"));
  EXPECT_TRUE(Matches("a\\b", "a\\\\b"));
  EXPECT_TRUE(Matches("ab", "\\ab"));
  EXPECT_EQ(LikePattern::Make("a\\").status().code(), ErrorCode::kSegcore);
  EXPECT_EQ(LikePattern::Make("\\").status().code(), ErrorCode::kSegcore);
}

TEST(Like, GoesBackToTheLastWildcard) {
  EXPECT_TRUE(Matches("aab", "%ab"));
  EXPECT_TRUE(Matches("abcabd", "a%abd"));
  EXPECT_TRUE(Matches("xaybzb", "x%y%b"));
  EXPECT_FALSE(Matches("xaybz", "x%y%b"));
  EXPECT_TRUE(Matches("aXbXc", "_%_%_"));
}

TEST(Like, StaysFastOnPatternsThatGoBackOften) {
  const std::string text(5000, 'a');
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a%";
  EXPECT_FALSE(Matches(text, pattern + "b"));
}

}  // namespace
}  // namespace elanus::expr
