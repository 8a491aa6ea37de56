// The reservoir against sorting: the same keys whatever the batches, and of equal ones the first.
#include "index/ivf/reservoir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace elanus::index {
namespace {

using Held = std::vector<std::pair<float, uint32_t>>;

Held HeldBy(Reservoir& reservoir) {
  Held held;
  reservoir.ForEach([&](float key, uint32_t place) { held.emplace_back(key, place); });
  std::sort(held.begin(), held.end());
  return held;
}

TEST(Reservoir, KeepsTheSmallestOfAllAndOfEqualOnesTheFirst) {
  std::mt19937 rng(5);
  for (const size_t k : {size_t{1}, size_t{10}, size_t{64}, size_t{1000}}) {
    for (const uint32_t kinds : {1u, 7u, 100000u}) {
      Reservoir reservoir(k);
      for (int query = 0; query < 2; ++query) {
        reservoir.Clear();
        Held all;
        while (all.size() < 5000) {
          const size_t count = rng() % (Reservoir::kBatch + 1);
          const float bound = reservoir.bound();
          size_t kept = 0;
          for (size_t i = 0; i < count; ++i) {
            const auto key = static_cast<float>(rng() % kinds);
            const auto place = static_cast<uint32_t>(all.size());
            all.emplace_back(key, place);
            if (key > bound) continue;
            reservoir.next_keys()[kept] = key;
            reservoir.next_places()[kept++] = place;
          }
          reservoir.Add(kept);
        }
        std::sort(all.begin(), all.end());
        all.resize(k);
        EXPECT_TRUE(reservoir.full());
        EXPECT_EQ(HeldBy(reservoir), all) << k << " of " << kinds;
      }
    }
  }
}

TEST(Reservoir, TakesKeysOneByOneAndFewerThanItHolds) {
  Reservoir reservoir(100);
  for (uint32_t i = 0; i < 60; ++i) reservoir.Push(static_cast<float>(60 - i), i);
  EXPECT_FALSE(reservoir.full());
  EXPECT_EQ(HeldBy(reservoir).size(), 60u);
  for (uint32_t i = 60; i < 600; ++i) reservoir.Push(static_cast<float>(i), i);
  EXPECT_TRUE(reservoir.full());
  const Held held = HeldBy(reservoir);
  ASSERT_EQ(held.size(), 100u);
  EXPECT_EQ(held.back(), std::make_pair(99.0f, 99u));
}

}  // namespace
}  // namespace elanus::index
