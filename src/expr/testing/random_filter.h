// Random filters of the whole language, each with what it means.
#pragma once

#include <functional>
#include <string>

#include "expr/testing/world.h"

namespace elanus::expr::testing {

/// A valid filter over World's schema, the values of its placeholders, and its truth for a row.
struct Filter {
  std::string text;
  Templates templates;
  std::function<Truth(const Row&)> truth;
};

/// How many filters a test draws of `filters`, its share when all property tests of its program
/// together draw `all`: the environment variable ELANUS_FILTERS says how many they draw instead.
int ShareOf(int filters, int all = 18'000);

/// Draws a filter whose conditions nest at most `depth` deep.
Filter DrawFilter(Dice& dice, int depth);

}  // namespace elanus::expr::testing
