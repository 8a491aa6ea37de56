// Random filters are the same for the same seed.
#include "expr/testing/random_filter.h"

#include <gtest/gtest.h>

#include <cmath>

namespace elanus::expr::testing {
namespace {

TEST(RandomFilter, IsTheSameForTheSameSeed) {
  Dice one(3), other(3);
  EXPECT_EQ(DrawFilter(one, 3).text, DrawFilter(other, 3).text);
}

}  // namespace
}  // namespace elanus::expr::testing
