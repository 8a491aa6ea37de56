// Byte panels against plain loops, for every width and number of vectors, at the numbers' ends.
#include "simd/byte_panels.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace elanus::simd {
namespace {

TEST(BytePanels, AgreeWithPlainLoopsForEveryWidth) {
  BytePanels all[3];
  const size_t kinds = AllBytePanels(all);
  std::mt19937 rng(1);
  for (size_t width = 4; width <= 1100; width += width < 80 ? 4 : 68) {
    for (size_t panels : {1u, 3u, 4u, 6u}) {
      const size_t rows = panels * kBytePanelRows;
      std::vector<uint8_t> codes(panels * BytePanelSize(width));
      std::vector<uint8_t> halved(codes.size());
      // Also the largest, whose sums pass 16 bits.
      for (size_t i = 0; i < codes.size(); ++i) {
        codes[i] = rng() % 3 == 0 ? 255 : static_cast<uint8_t>(rng());
        halved[i] = codes[i] / 2;
      }
      std::vector<float> terms(rows);
      for (float& term : terms) term = static_cast<float>(rng() % 1000);
      const float factors[9] = {1.0f, -0.5f, 2.0f, 0.25f, 3.0f, -1.0f, 0.5f, 4.0f, -2.0f};
      for (size_t count : {1, 2, 3, 4, 5, 9}) {
        std::vector<int8_t> vectors(count * width);
        for (int8_t& v : vectors) {
          v = rng() % 3 == 0 ? -128 : static_cast<int8_t>(rng());
        }
        std::vector<float> want(count * rows), got(count * rows);
        for (size_t k = 1; k < kinds; ++k) {
          const uint8_t* taken = all[k].code_max == 255 ? codes.data() : halved.data();
          all[0].keys(vectors.data(), count, width, factors, taken, panels, terms.data(),
                      want.data(), rows);
          std::fill(got.begin(), got.end(), 0.0f);
          all[k].keys(vectors.data(), count, width, factors, taken, panels, terms.data(),
                      got.data(), rows);
          // A fused addition rounds once where two operations round twice.
          for (size_t i = 0; i < count * rows; ++i) {
            ASSERT_NEAR(got[i], want[i], 1e-6 * std::abs(want[i]) + 1.0) << width << " " << k;
          }
        }
      }
    }
  }
}

TEST(BytePanels, TakeTheCodeOfEachRowAndDimensionWhereItStands) {
  BytePanels all[3];
  const size_t kinds = AllBytePanels(all);
  constexpr size_t kWidth = 8;
  const std::vector<float> terms(kBytePanelRows, 0.0f);
  const float factor = 1.0f;
  for (size_t r = 0; r < kBytePanelRows; r += 3) {
    for (size_t d = 0; d < kWidth; ++d) {
      std::vector<uint8_t> codes(BytePanelSize(kWidth), 0);
      codes[BytePanelPlace(r, d)] = 120;
      std::vector<int8_t> vector(kWidth);
      for (size_t i = 0; i < kWidth; ++i) vector[i] = static_cast<int8_t>(i + 1);
      for (size_t k = 0; k < kinds; ++k) {
        std::vector<float> keys(kBytePanelRows);
        all[k].keys(vector.data(), 1, kWidth, &factor, codes.data(), 1, terms.data(), keys.data(),
                    kBytePanelRows);
        for (size_t i = 0; i < kBytePanelRows; ++i) {
          EXPECT_EQ(keys[i], i == r ? 120.0f * static_cast<float>(d + 1) : 0.0f);
        }
      }
    }
  }
}

}  // namespace
}  // namespace elanus::simd
