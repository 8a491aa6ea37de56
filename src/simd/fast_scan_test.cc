// Every fast scan against plain loops.
#include "simd/fast_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace elanus::simd {
namespace {

TEST(FastScan, AgreesWithPlainLoops) {
  FastScan all[3];
  const size_t count = AllFastScans(all);
  std::mt19937 rng(1);
  for (size_t parts = 4; parts <= 512; parts += parts < 256 ? 4 : 64) {
    // Exactly as long as what may be read, and at any alignment.
    const size_t shift = parts % 7;
    std::vector<uint8_t> tables(shift + parts * 16), block(shift + parts * 16);
    std::vector<float> terms(kFastScanRows);
    for (uint8_t& v : tables)
      v = static_cast<uint8_t>(parts >= 252 ? kFastScanEntryMax : rng() % (kFastScanEntryMax + 1));
    for (uint8_t& v : block) v = static_cast<uint8_t>(rng() % 256);
    for (float& v : terms) v = static_cast<float>(rng() % 100);
    for (const float* added :
         {static_cast<const float*>(nullptr), static_cast<const float*>(terms.data())}) {
      float want[32];
      const float bound = 0.5f * 63.0f * static_cast<float>(parts);
      const uint32_t below = all[0](tables.data() + shift, block.data() + shift, parts, 3.0f, 0.5f,
                                    added, bound, want);
      for (size_t i = 1; i < count; ++i) {
        float got[32];
        EXPECT_EQ(all[i](tables.data() + shift, block.data() + shift, parts, 3.0f, 0.5f, added,
                         bound, got),
                  below);
        for (size_t r = 0; r < kFastScanRows; ++r) ASSERT_EQ(got[r], want[r]) << parts << " " << r;
      }
    }
  }
}

TEST(FastScan, TablesHoldEachPartsProductsLessItsSmallest) {
  std::mt19937 rng(2);
  std::normal_distribution<float> normal;
  for (size_t part_dim : {1u, 2u, 3u, 8u}) {
    constexpr size_t kParts = 7;
    std::vector<float> query(kParts * part_dim), books(kParts * part_dim * 16), table(kParts * 16);
    for (float& v : query) v = normal(rng);
    for (float& v : books) v = normal(rng);
    const FastScanTables made =
        MakeFastScanTables(query.data(), books.data(), kParts, part_dim, -2.0f, table.data());
    double base = 0, widest = 0, total = 0;
    for (size_t p = 0; p < kParts; ++p) {
      double entries[16] = {};
      for (size_t w = 0; w < 16; ++w) {
        for (size_t d = 0; d < part_dim; ++d) {
          entries[w] += -2.0 * query[p * part_dim + d] * books[(p * part_dim + d) * 16 + w];
        }
      }
      const double least = *std::min_element(entries, entries + 16);
      const double most = *std::max_element(entries, entries + 16);
      for (size_t w = 0; w < 16; ++w) EXPECT_NEAR(table[p * 16 + w], entries[w] - least, 1e-4);
      base += least;
      total += most - least;
      widest = std::max(widest, most - least);
    }
    EXPECT_NEAR(made.base, base, 1e-4);
    EXPECT_NEAR(made.total, total, 1e-4);
    EXPECT_NEAR(made.widest, widest, 1e-4);
  }
}

TEST(FastScan, RoundsTablesToTheNearestByte) {
  std::mt19937 rng(7);
  for (size_t parts = 1; parts < 40; ++parts) {
    std::vector<float> table(parts * 16);
    for (float& entry : table) entry = static_cast<float>(rng() % 1000) * 0.01f;
    table[3] = 12.0f;  // Above what fits.
    std::vector<uint8_t> bytes(table.size());
    constexpr float kStep = 0.04f;
    RoundFastScanTables(table.data(), parts, kStep, bytes.data());
    for (size_t i = 0; i < table.size(); ++i) {
      const float exact = std::min(table[i] / kStep, static_cast<float>(kFastScanEntryMax));
      EXPECT_NEAR(static_cast<float>(bytes[i]), exact, 0.501f) << table[i];
    }
  }
}

}  // namespace
}  // namespace elanus::simd
