// Rounding against plain loops, for every dimension.
#include "simd/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace elanus::simd {
namespace {

TEST(RoundToBytes, PutsTheLargestNumberAtTheEndAndTheOthersToTheNearest) {
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  for (size_t dim = 1; dim <= 200; ++dim) {
    std::vector<float> values(dim), weights(dim);
    for (float& v : values) v = normal(rng);
    for (float& w : weights) w = 0.5f + std::abs(normal(rng));
    for (const bool weighted : {false, true}) {
      std::vector<int8_t> numbers(dim);
      const RoundedBytes rounded =
          RoundToBytes(values.data(), weighted ? weights.data() : nullptr, dim, numbers.data());
      int64_t sum = 0;
      double lost = 0;
      int largest = 0;
      for (size_t d = 0; d < dim; ++d) {
        const double value = double{values[d]} * (weighted ? weights[d] : 1.0f);
        const double left = value - double{rounded.scale} * numbers[d];
        EXPECT_LE(std::abs(left), rounded.scale * 0.5001) << dim;
        sum += numbers[d];
        lost += left * left;
        largest = std::max(largest, std::abs(int{numbers[d]}));
      }
      EXPECT_EQ(largest, 127);
      EXPECT_EQ(rounded.sum, sum);
      EXPECT_NEAR(rounded.lost, std::sqrt(lost), 1e-5 * std::sqrt(lost) + 1e-6);
    }
  }
}

TEST(RoundToBytes, TakesZeros) {
  const std::vector<float> zeros(37, 0.0f);
  std::vector<int8_t> numbers(37, 1);
  const RoundedBytes rounded = RoundToBytes(zeros.data(), nullptr, 37, numbers.data());
  EXPECT_EQ(rounded.scale, 1.0f);
  EXPECT_EQ(rounded.lost, 0.0f);
  EXPECT_EQ(numbers, std::vector<int8_t>(37, 0));
}

}  // namespace
}  // namespace elanus::simd
