// Selection against sorting, for every count up to a few vectors and for keys of all kinds.
#include "simd/select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace elanus::simd {
namespace {

enum class Keys { kSpread, kFew, kHuge, kWithInfinity, kEqual };
constexpr Keys kAllKeys[] = {Keys::kSpread, Keys::kFew, Keys::kHuge, Keys::kWithInfinity,
                             Keys::kEqual};

std::vector<float> DrawKeys(Keys kind, size_t count, std::mt19937& rng) {
  std::vector<float> keys(count);
  std::normal_distribution<float> normal;
  for (float& key : keys) {
    key = normal(rng);
    if (kind == Keys::kFew) key = static_cast<float>(rng() % 5) - 2;
    if (kind == Keys::kHuge) key *= rng() % 2 == 0 ? 1e37f : 1e-37f;
    if (kind == Keys::kWithInfinity && rng() % 3 == 0) {
      key = std::numeric_limits<float>::infinity();
    }
    if (kind == Keys::kEqual) key = -3.5f;
  }
  return keys;
}

std::vector<size_t> Counts() {
  std::vector<size_t> counts;
  for (size_t count = 1; count <= 70; ++count) counts.push_back(count);
  for (size_t count : {127u, 512u, 700u, 2048u, 2100u}) counts.push_back(count);
  return counts;
}

TEST(Select, FindsTheKthSmallestKey) {
  std::mt19937 rng(1);
  for (const Keys kind : kAllKeys) {
    for (const size_t count : Counts()) {
      const std::vector<float> keys = DrawKeys(kind, count, rng);
      std::vector<float> sorted = keys;
      std::sort(sorted.begin(), sorted.end());
      for (size_t k = 1; k <= count; k += 1 + count / 16) {
        EXPECT_EQ(Select().kth(keys.data(), count, k), sorted[k - 1]) << count << " " << k;
      }
      EXPECT_EQ(Select().kth(keys.data(), count, count), sorted.back());
    }
  }
}

TEST(Select, BoundsAsManyKeysAsAskedAndFewMore) {
  std::mt19937 rng(2);
  for (const Keys kind : kAllKeys) {
    for (const size_t count : Counts()) {
      const std::vector<float> keys = DrawKeys(kind, count, rng);
      for (size_t k = 1; k <= count; k += 1 + count / 16) {
        const float bound = Select().bound(keys.data(), count, k);
        std::vector<uint32_t> positions(count);
        const size_t found = Select().positions(keys.data(), count, bound, positions.data());
        EXPECT_GE(found, k);
        if (kind == Keys::kSpread) {
          EXPECT_LE(found, 2 * k + 16) << count << " " << k;
        }
      }
    }
  }
}

TEST(Select, KeepsWhatIsAtMostABoundInItsOrder) {
  std::mt19937 rng(3);
  for (const Keys kind : kAllKeys) {
    for (const size_t count : Counts()) {
      const std::vector<float> keys = DrawKeys(kind, count, rng);
      const float bound = keys[rng() % count];
      std::vector<uint32_t> want;
      for (uint32_t i = 0; i < count; ++i) {
        if (keys[i] <= bound) want.push_back(i);
      }
      // Exactly as long as what may be written, so that a sanitizer sees one element too many.
      std::vector<uint32_t> positions(count);
      positions.resize(Select().positions(keys.data(), count, bound, positions.data()));
      EXPECT_EQ(positions, want);
      std::vector<float> kept = keys;
      std::vector<uint32_t> values(count);
      for (uint32_t i = 0; i < count; ++i) values[i] = 7 * i;
      const size_t found = Select().keep(kept.data(), values.data(), count, bound);
      ASSERT_EQ(found, want.size());
      for (size_t i = 0; i < found; ++i) {
        EXPECT_EQ(kept[i], keys[want[i]]);
        EXPECT_EQ(values[i], 7 * want[i]);
      }
    }
  }
}

}  // namespace
}  // namespace elanus::simd
