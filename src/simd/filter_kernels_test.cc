// Filter kernels against plain loops.
#include "simd/filter_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace elanus::simd {
namespace {

template <class T>
class RangeKernelTest : public testing::Test {};
using Types = testing::Types<int8_t, int16_t, int32_t, int64_t, float, double>;
TYPED_TEST_SUITE(RangeKernelTest, Types);

TYPED_TEST(RangeKernelTest, MarksWhatLiesBetweenTheBoundsForEveryCountAndAddress) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  std::mt19937_64 rng(3);
  const auto draw = [&]() -> T {
    switch (rng() % 8) {
      case 0:
        return Limits::lowest();
      case 1:
        return Limits::max();
      case 2:
        return Limits::has_quiet_NaN ? Limits::quiet_NaN() : T(3);
      case 3:
        return Limits::has_infinity ? -Limits::infinity() : T(-3);
      default:
        return static_cast<T>(static_cast<int>(rng() % 7) - 3);
    }
  };
  for (size_t count = 0; count < 200; ++count) {
    const size_t shift = rng() % 3;  // Not where vectors begin.
    std::vector<T> values(count + shift);
    for (T& value : values) value = draw();
    T low = draw();
    T high = draw();
    if (std::isnan(static_cast<double>(low))) low = 0;
    if (std::isnan(static_cast<double>(high))) high = 0;
    const size_t words = (count + 63) / 64;
    std::vector<uint64_t> bits(words + 1, 0xABCD);
    RangeKernel<T>()(values.data() + shift, count, low, high, bits.data());
    for (size_t i = 0; i < words * 64; ++i) {
      const bool wanted = i < count && low <= values[shift + i] && values[shift + i] <= high;
      ASSERT_EQ((bits[i / 64] >> (i % 64)) & 1, wanted) << count << " values, place " << i;
    }
    ASSERT_EQ(bits[words], 0xABCDu) << "wrote past the words";
  }
}

TEST(FindKernel, FindsTheFirstPlaceOrNone) {
  std::mt19937_64 rng(4);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(rng() % 150, 'a');
    for (char& c : text) c = static_cast<char>('a' + (rng() % 5 == 0) + (rng() % 9 == 0));
    std::string word(1 + rng() % 6, 'a');
    for (char& c : word) c = static_cast<char>('a' + rng() % 2);
    const size_t found = Filters().find(text.data(), text.size(), word.data(), word.size());
    ASSERT_EQ(found, text.find(word)) << text << " / " << word;  // npos is SIZE_MAX.
  }
}

}  // namespace
}  // namespace elanus::simd
