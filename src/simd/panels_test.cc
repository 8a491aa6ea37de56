// Panels against plain loops, for every dimension, number of rows and of vectors.
#include "simd/panels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

std::vector<float> Draw(size_t count, uint32_t seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> value(-1, 1);
  std::vector<float> values(count);
  for (float& v : values) v = value(rng);
  return values;
}

TEST(Panels, StandRowsSideBySideAndZerosInThePlaceOfMissingOnes) {
  for (size_t dim : {1u, 2u, 3u, 4u, 5u, 8u, 15u, 31u, 130u}) {
    for (size_t count = 0; count <= kPanelRows; ++count) {
      const std::vector<float> rows = Draw(count * dim, 1);
      std::vector<float> panel(dim * kPanelRows, 7.0f);
      Panels().pack(rows.data(), count, dim, panel.data());
      for (size_t d = 0; d < dim; ++d) {
        std::vector<float> one_dimension(dim, 0.0f);
        one_dimension[d] = 1.0f;
        std::vector<float> got(kPanelRows);
        Panels().products(one_dimension.data(), 1, dim, panel.data(), got.data());
        for (size_t r = 0; r < kPanelRows; ++r) {
          ASSERT_EQ(got[r], r < count ? rows[r * dim + d] : 0.0f) << dim << " " << count;
        }
      }
    }
  }
}

TEST(Panels, MultiplyEachVectorWithEachRow) {
  for (size_t dim = 1; dim <= 1100; dim += dim < 40 ? 1 : 97) {
    const std::vector<float> rows = Draw(kPanelRows * dim, 2);
    std::vector<float> panel(dim * kPanelRows);
    Panels().pack(rows.data(), kPanelRows, dim, panel.data());
    for (size_t count = 1; count <= PanelKernels::kVectors; ++count) {
      const std::vector<float> vectors = Draw(count * dim, 3);
      std::vector<float> got(count * kPanelRows);
      Panels().products(vectors.data(), count, dim, panel.data(), got.data());
      for (size_t v = 0; v < count; ++v) {
        for (size_t r = 0; r < kPanelRows; ++r) {
          const float want = Reference().ip(vectors.data() + v * dim, rows.data() + r * dim, dim);
          ASSERT_NEAR(got[v * kPanelRows + r], want, 1e-5 * std::sqrt(dim)) << dim;
        }
      }
    }
  }
}

TEST(Panels, NameTheRowsThatAreNotAboveALimit) {
  std::vector<float> products = Draw(kPanelRows, 4);
  const std::vector<float> scales = Draw(kPanelRows, 5);
  const std::vector<float> terms = Draw(kPanelRows, 6);
  products[3] = std::numeric_limits<float>::quiet_NaN();
  for (const float limit : {-5.0f, -0.3f, 0.0f, 0.4f, 5.0f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    const uint64_t got = Panels().not_above(products.data(), scales.data(), terms.data(), limit);
    for (size_t r = 0; r < kPanelRows; ++r) {
      const float key = terms[r] + scales[r] * products[r];
      EXPECT_EQ((got >> r & 1) != 0, !(key > limit)) << r << " " << limit;
    }
  }
}

}  // namespace
}  // namespace elanus::simd
