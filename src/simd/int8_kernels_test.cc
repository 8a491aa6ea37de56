// Kernels of signed bytes against plain arithmetic, for every dimension and alignment.
#include "simd/int8_kernels.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace elanus::simd {
namespace {

constexpr size_t kDimMax = 1100;

struct Pair {
  int64_t l2 = 0;
  int64_t ip = 0;
};

Pair Truth(const int8_t* a, const int8_t* b, size_t dim) {
  Pair truth;
  for (size_t d = 0; d < dim; ++d) {
    truth.l2 += (int64_t{a[d]} - b[d]) * (int64_t{a[d]} - b[d]);
    truth.ip += int64_t{a[d]} * b[d];
  }
  return truth;
}

void ExpectTruth(const Int8Kernels& kernels, const int8_t* query, const int8_t* const rows[4],
                 size_t dim) {
  int32_t l2[4];
  int32_t ip[4];
  kernels.l2_x4(query, rows, dim, l2);
  kernels.ip_x4(query, rows, dim, ip);
  for (int r = 0; r < 4; ++r) {
    const Pair truth = Truth(query, rows[r], dim);
    ASSERT_EQ(l2[r], truth.l2) << kernels.name << " " << dim;
    ASSERT_EQ(ip[r], truth.ip) << kernels.name << " " << dim;
    ASSERT_EQ(kernels.l2(query, rows[r], dim), truth.l2) << kernels.name << " " << dim;
    ASSERT_EQ(kernels.ip(query, rows[r], dim), truth.ip) << kernels.name << " " << dim;
  }
}

TEST(Int8Kernels, AgreeWithPlainLoopsForEveryDimensionAndAlignment) {
  const Int8Kernels* all[3];
  const size_t sets = AllInt8(all);
  std::mt19937 rng(1);
  for (size_t dim = 0; dim <= kDimMax; ++dim) {
    const size_t shift = dim % 67;
    // Exactly as long as what may be read, so that a sanitizer sees one element too many.
    std::vector<int8_t> query(dim + shift);
    std::vector<int8_t> packed[4];
    const int8_t* rows[4];
    for (int8_t& v : query) v = static_cast<int8_t>(rng());
    for (int r = 0; r < 4; ++r) {
      packed[r].resize(dim + shift);
      for (int8_t& v : packed[r]) v = static_cast<int8_t>(rng());
      rows[r] = packed[r].data() + shift;
    }
    for (size_t s = 0; s < sets; ++s) ExpectTruth(*all[s], query.data() + shift, rows, dim);
  }
}

TEST(Int8Kernels, HoldTheLargestNumbers) {
  const Int8Kernels* all[3];
  const size_t sets = AllInt8(all);
  for (size_t dim : {64u, 1000u, 32768u}) {
    const std::vector<int8_t> low(dim, -128);
    const std::vector<int8_t> high(dim, 127);
    const int8_t* const rows[4] = {low.data(), high.data(), low.data(), high.data()};
    for (size_t s = 0; s < sets; ++s) {
      ExpectTruth(*all[s], low.data(), rows, dim);
      ExpectTruth(*all[s], high.data(), rows, dim);
    }
  }
}

}  // namespace
}  // namespace elanus::simd
