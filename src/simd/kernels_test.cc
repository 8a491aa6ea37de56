// Every kernel against plain loops, for every dimension and alignment.
#include "simd/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace elanus::simd {
namespace {

constexpr size_t kDimMax = 1100;

std::vector<float> Draw(size_t count, uint32_t seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> value(-1, 1);
  std::vector<float> values(count);
  for (float& v : values) v = value(rng);
  return values;
}

void ExpectNear(float got, float want, size_t dim) {
  EXPECT_NEAR(got, want, 1e-5 * std::max<double>(1, std::sqrt(static_cast<double>(dim)))) << dim;
}

TEST(Kernels, AgreeWithPlainLoopsForEveryDimensionAndAlignment) {
  const Kernels& best = Best();
  const Kernels& plain = Reference();
  for (size_t shift = 0; shift < 4; ++shift) {
    for (size_t dim = 0; dim <= kDimMax; ++dim) {
      // Exactly as long as what may be read, so that a sanitizer sees one element too many.
      const std::vector<float> a = Draw(dim + shift, 1);
      const std::vector<float> b = Draw(dim + shift, 2);
      const float* x = a.data() + shift;
      const float* y = b.data() + shift;
      ExpectNear(best.l2(x, y, dim), plain.l2(x, y, dim), dim);
      ExpectNear(best.ip(x, y, dim), plain.ip(x, y, dim), dim);
    }
  }
}

TEST(Kernels, FourRowsAtOnceAreFourTimesOne) {
  const Kernels& best = Best();
  const Kernels& plain = Reference();
  for (size_t dim = 1; dim <= kDimMax; dim += dim < 70 ? 1 : 13) {
    const std::vector<float> query = Draw(dim, 3);
    const std::vector<float> rows = Draw(4 * dim, 4);
    const float* const pointers[4] = {rows.data(), rows.data() + dim, rows.data() + 2 * dim,
                                      rows.data() + 3 * dim};
    float l2[4];
    float ip[4];
    best.l2_x4(query.data(), pointers, dim, l2);
    best.ip_x4(query.data(), pointers, dim, ip);
    for (int r = 0; r < 4; ++r) {
      ExpectNear(l2[r], plain.l2(query.data(), pointers[r], dim), dim);
      ExpectNear(ip[r], plain.ip(query.data(), pointers[r], dim), dim);
    }
  }
}

TEST(Kernels, BlocksScoreEachQueryAgainstEachRow) {
  const Kernels& best = Best();
  const Kernels& plain = Reference();
  constexpr size_t kRows = 7;
  for (size_t dim : {1u, 7u, 16u, 33u, 384u}) {
    const std::vector<float> rows = Draw(kRows * dim, 5);
    for (size_t query_count = 1; query_count <= 4; ++query_count) {
      const std::vector<float> queries = Draw(query_count * dim, 6);
      std::vector<float> got(4 * 8), want(4 * 8);
      best.l2_block(queries.data(), query_count, rows.data(), kRows, dim, got.data(), 8);
      plain.l2_block(queries.data(), query_count, rows.data(), kRows, dim, want.data(), 8);
      for (size_t i = 0; i < got.size(); ++i) ExpectNear(got[i], want[i], dim);
      best.ip_block(queries.data(), query_count, rows.data(), kRows, dim, got.data(), 8);
      plain.ip_block(queries.data(), query_count, rows.data(), kRows, dim, want.data(), 8);
      for (size_t i = 0; i < got.size(); ++i) ExpectNear(got[i], want[i], dim);
    }
  }
}

TEST(Kernels, ScoreAShortVectorAgainstColumns) {
  for (size_t dim : {1u, 2u, 7u, 12u, 33u}) {
    for (size_t count : {1u, 3u, 16u, 31u, 64u, 200u, 256u}) {
      const size_t stride = count + 3;
      const std::vector<float> vector = Draw(dim, 7);
      const std::vector<float> columns = Draw((dim - 1) * stride + count, 8);
      std::vector<float> got(count), want(count);
      Best().ip_columns(vector.data(), dim, columns.data(), stride, count, got.data());
      Reference().ip_columns(vector.data(), dim, columns.data(), stride, count, want.data());
      for (size_t c = 0; c < count; ++c) ExpectNear(got[c], want[c], dim);
    }
  }
}

TEST(Kernels, FindTheFirstOfTheSmallest) {
  std::mt19937 rng(3);
  for (size_t count = 1; count < 150; ++count) {
    std::vector<float> a(count), b(count);
    for (float& v : a) v = static_cast<float>(rng() % 20);
    for (float& v : b) v = static_cast<float>(rng() % 20);
    float got = 0;
    float want = 1;
    EXPECT_EQ(Best().arg_min_difference(a.data(), b.data(), count, &got),
              Reference().arg_min_difference(a.data(), b.data(), count, &want));
    EXPECT_EQ(got, want);
  }
}

}  // namespace
}  // namespace elanus::simd
