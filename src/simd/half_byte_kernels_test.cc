// Every kernel of 4-bit codes against plain arithmetic, for every length and alignment.
#include "simd/half_byte_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace elanus::simd {
namespace {

constexpr size_t kBytesMax = 550;

// Exactly as long as what may be read, so that a sanitizer sees one byte too many.
template <class T>
std::vector<T> Draw(size_t shift, size_t count, std::mt19937& rng) {
  std::vector<T> values(shift + count);
  for (T& value : values) {
    // The extremes often: they are what overflows.
    const bool extreme = rng() % 4 == 0;
    value = static_cast<T>(extreme ? (rng() % 2 == 0 ? 0x80 : 0x7f) : rng() % 256);
  }
  return values;
}

void ExpectExact(size_t bytes, std::mt19937& rng) {
  const size_t shift = bytes % 7;
  const auto low = Draw<int8_t>(shift, bytes, rng);
  const auto high = Draw<int8_t>(shift, bytes, rng);
  std::vector<uint8_t> codes[4];
  const uint8_t* rows[4];
  int64_t want[4] = {};
  for (size_t r = 0; r < 4; ++r) {
    codes[r] = Draw<uint8_t>(r, bytes, rng);
    if (r == 3) std::fill(codes[r].begin(), codes[r].end(), uint8_t{0xff});
    rows[r] = codes[r].data() + r;
    for (size_t j = 0; j < bytes; ++j) {
      want[r] += (rows[r][j] % 16) * low[shift + j] + (rows[r][j] / 16) * high[shift + j];
    }
  }
  HalfByteDots all[3];
  const size_t count = AllHalfByteDots(all);
  for (size_t i = 0; i < count; ++i) {
    int32_t got[4];
    all[i](low.data() + shift, high.data() + shift, rows, bytes, got);
    for (size_t r = 0; r < 4; ++r) {
      ASSERT_EQ(got[r], want[r]) << "kernel " << i << " bytes " << bytes << " row " << r;
    }
  }
}

TEST(HalfByteDots, AreExactForEveryLengthAndAlignment) {
  std::mt19937 rng(1);
  for (size_t bytes = 0; bytes <= kBytesMax; ++bytes) ExpectExact(bytes, rng);
  ExpectExact(65536, rng);
}

}  // namespace
}  // namespace elanus::simd
