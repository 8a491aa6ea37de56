// The reference itself: three-valued logic, patterns, paths.
#include "expr/testing/reference.h"

#include <gtest/gtest.h>

namespace elanus::expr::testing {
namespace {

TEST(Reference, KnowsThreeValuedLogic) {
  const Truth t = Truth::kTrue, f = Truth::kFalse, u = Truth::kUnknown;
  EXPECT_EQ(And(t, u), u);
  EXPECT_EQ(And(f, u), f);
  EXPECT_EQ(Or(t, u), t);
  EXPECT_EQ(Or(f, u), u);
  EXPECT_EQ(Not(u), u);
}

TEST(Reference, MatchesPatterns) {
  EXPECT_EQ(Like(Datum::Text("aéb"), "a_b"), Truth::kTrue);
  EXPECT_EQ(Like(Datum::Text("a%b"), "a\\%b"), Truth::kTrue);
  EXPECT_EQ(Like(Datum::Text("axb"), "a\\%b"), Truth::kFalse);
  EXPECT_EQ(Like(Datum::Text("abab"), "%ab"), Truth::kTrue);
  EXPECT_EQ(Like(Datum::Int(1), "%"), Truth::kUnknown);
}

TEST(Reference, FollowsPaths) {
  const Datum document = Datum::Object({{"a", Datum::List({Datum::Int(7), Datum::Null()})}});
  EXPECT_EQ(At(document, {"a", "0"}).integer, 7);
  EXPECT_TRUE(At(document, {"a", "2"}).Is(Datum::Kind::kMissing));
  EXPECT_FALSE(Exists(At(document, {"a", "1"})));
  EXPECT_TRUE(Exists(At(document, {"a"})));
  EXPECT_EQ(JsonOf(document), R"({"a": [7, null]})");
}

}  // namespace
}  // namespace elanus::expr::testing
