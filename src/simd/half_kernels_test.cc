// 16-bit floats against plain arithmetic, for every dimension and alignment.
#include "simd/half_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace elanus::simd {
namespace {

constexpr size_t kDimMax = 1100;

class Half : public testing::TestWithParam<bool> {
 protected:
  const HalfKernels& kernels() const { return GetParam() ? Float16Kernels() : BFloat16Kernels(); }
  // The largest relative error of rounding.
  float precision() const { return GetParam() ? 1.0f / 2048 : 1.0f / 256; }
};

TEST_P(Half, AgreesWithPlainLoopsForEveryDimensionAndAlignment) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<float> value(-1, 1);
  for (size_t dim = 0; dim <= kDimMax; ++dim) {
    const size_t shift = dim % 5;
    // Exactly as long as what may be read, so that a sanitizer sees one element too many.
    std::vector<float> query(dim + shift);
    std::vector<uint16_t> packed[4];
    const uint16_t* rows[4];
    double l2[4] = {};
    double ip[4] = {};
    double square[4] = {};
    for (float& v : query) v = value(rng);
    for (int r = 0; r < 4; ++r) {
      std::vector<float> row(dim), back(dim);
      for (float& v : row) v = value(rng);
      packed[r].resize(dim + shift);
      kernels().encode(row.data(), dim, packed[r].data() + shift);
      kernels().decode(packed[r].data() + shift, dim, back.data());
      rows[r] = packed[r].data() + shift;
      for (size_t d = 0; d < dim; ++d) {
        ASSERT_NEAR(back[d], row[d], precision() * std::abs(row[d]) + 1e-7) << dim;
        const double difference = static_cast<double>(query[shift + d]) - back[d];
        l2[r] += difference * difference;
        ip[r] += static_cast<double>(query[shift + d]) * back[d];
        square[r] += static_cast<double>(back[d]) * back[d];
      }
    }
    float got[4];
    const double slack = 1e-5 * std::max(1.0, std::sqrt(static_cast<double>(dim)));
    kernels().l2_x4(query.data() + shift, rows, dim, got);
    for (int r = 0; r < 4; ++r) ASSERT_NEAR(got[r], l2[r], slack) << dim;
    kernels().ip_x4(query.data() + shift, rows, dim, got);
    for (int r = 0; r < 4; ++r) ASSERT_NEAR(got[r], ip[r], slack) << dim;
    for (int r = 0; r < 4; ++r) ASSERT_NEAR(kernels().square(rows[r], dim), square[r], slack);
    ASSERT_NEAR(kernels().l2(query.data() + shift, rows[0], dim), l2[0], slack) << dim;
    ASSERT_NEAR(kernels().ip(query.data() + shift, rows[0], dim), ip[0], slack) << dim;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Half, testing::Bool(),
                         [](const auto& info) { return info.param ? "Float16" : "BFloat16"; });

}  // namespace
}  // namespace elanus::simd
