// Folding of constants.
#include "expr/constant.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace elanus::expr {
namespace {

using model::Compare;
using model::Scalar;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

Scalar Folded(int64_t left, TokenKind op, int64_t right) {
  const auto folded = FoldArithmetic(op, left, right);
  EXPECT_TRUE(folded.ok()) << folded.status().ToString();
  return *folded;
}

TEST(Constant, FoldsIntegersWithWrapping) {
  EXPECT_EQ(Folded(kMax, TokenKind::kPlus, 1), Scalar(kMin));
  EXPECT_EQ(Folded(kMin, TokenKind::kMinus, 1), Scalar(kMax));
  EXPECT_EQ(Folded(kMax, TokenKind::kStar, 2), Scalar(int64_t{-2}));
  EXPECT_EQ(Folded(-7, TokenKind::kSlash, 2), Scalar(int64_t{-3}));
  EXPECT_EQ(Folded(-7, TokenKind::kPercent, 2), Scalar(int64_t{-1}));
  EXPECT_EQ(Folded(kMin, TokenKind::kSlash, -1), Scalar(kMin));
  EXPECT_EQ(Folded(kMin, TokenKind::kPercent, -1), Scalar(int64_t{0}));
  EXPECT_EQ(Folded(6, TokenKind::kAmpersand, 3), Scalar(int64_t{2}));
  EXPECT_EQ(Folded(6, TokenKind::kPipe, 3), Scalar(int64_t{7}));
  EXPECT_EQ(Folded(6, TokenKind::kCaret, 3), Scalar(int64_t{5}));
}

TEST(Constant, RaisesToAPowerInIntegersWhileTheyFit) {
  EXPECT_EQ(Folded(2, TokenKind::kPower, 62), Scalar(int64_t{1} << 62));
  EXPECT_EQ(Folded(2, TokenKind::kPower, 63), Scalar(std::pow(2.0, 63)));
  EXPECT_EQ(Folded(2, TokenKind::kPower, -1), Scalar(0.5));
  EXPECT_EQ(Folded(0, TokenKind::kPower, 0), Scalar(int64_t{1}));
  EXPECT_EQ(Folded(-1, TokenKind::kPower, kMax), Scalar(int64_t{-1}));
  EXPECT_EQ(Folded(-1, TokenKind::kPower, kMax - 1), Scalar(int64_t{1}));
  EXPECT_EQ(Folded(-2, TokenKind::kPower, 63), Scalar(kMin));
}

TEST(Constant, FoldsToADoubleWhenOneSideIs) {
  EXPECT_EQ(*FoldArithmetic(TokenKind::kPlus, int64_t{1}, 0.5), Scalar(1.5));
  EXPECT_EQ(*FoldArithmetic(TokenKind::kSlash, 1.0, int64_t{4}), Scalar(0.25));
}

TEST(Constant, RefusesWhatHasNoMeaning) {
  const Scalar one = int64_t{1}, zero = int64_t{0}, half = 0.5, text = std::string("a");
  EXPECT_FALSE(FoldArithmetic(TokenKind::kSlash, one, zero).ok());
  EXPECT_FALSE(FoldArithmetic(TokenKind::kSlash, one, 0.0).ok());
  EXPECT_FALSE(FoldArithmetic(TokenKind::kPercent, one, zero).ok());
  EXPECT_FALSE(FoldArithmetic(TokenKind::kPercent, half, one).ok());
  EXPECT_FALSE(FoldArithmetic(TokenKind::kAmpersand, half, one).ok());
  EXPECT_FALSE(FoldArithmetic(TokenKind::kPlus, text, text).ok());
  EXPECT_FALSE(FoldArithmetic(TokenKind::kPower, text, one).ok());
  EXPECT_FALSE(FoldArithmetic(TokenKind::kPlus, Scalar(true), one).ok());
}

TEST(Constant, ComparesWithinAClass) {
  EXPECT_TRUE(*FoldCompare(Compare::kEq, int64_t{1}, 1.0));
  EXPECT_TRUE(*FoldCompare(Compare::kLt, kMax - 1, kMax));
  EXPECT_TRUE(*FoldCompare(Compare::kLt, std::string("a"), std::string("b")));
  EXPECT_TRUE(*FoldCompare(Compare::kNe, Scalar(true), Scalar(false)));
  EXPECT_FALSE(FoldCompare(Compare::kLt, Scalar(false), Scalar(true)).ok());
  EXPECT_FALSE(FoldCompare(Compare::kEq, int64_t{1}, std::string("1")).ok());
  EXPECT_FALSE(FoldCompare(Compare::kEq, int64_t{1}, Scalar(true)).ok());
}

TEST(Constant, HoldsNanUnequalToItself) {
  for (Compare op : {Compare::kEq, Compare::kLt, Compare::kLe, Compare::kGt, Compare::kGe}) {
    EXPECT_FALSE(*FoldCompare(op, NAN, NAN));
    EXPECT_FALSE(*FoldCompare(op, NAN, 1.0));
  }
  EXPECT_TRUE(*FoldCompare(Compare::kNe, NAN, NAN));
}

}  // namespace
}  // namespace elanus::expr
