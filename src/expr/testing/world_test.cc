// What a random world holds.
#include "expr/testing/world.h"

#include <gtest/gtest.h>

#include <cmath>

namespace elanus::expr::testing {
namespace {

TEST(World, HasNullsNansAndDocuments) {
  const World world(1, 500, false);
  size_t nulls = 0, nans = 0, documents = 0;
  for (const Row& row : world.table()) {
    nulls += row.at("n8").has_value() ? 0 : 1;
    nans += std::isnan(row.at("f64").real) ? 1 : 0;
    documents += row.at("j").Is(Datum::Kind::kObject) ? 1 : 0;
  }
  EXPECT_GT(nulls, 50u);
  EXPECT_GT(nans, 2u);
  EXPECT_GT(documents, 50u);
}

}  // namespace
}  // namespace elanus::expr::testing
