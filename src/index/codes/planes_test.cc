// Planes of codes of every width against plain arithmetic.
#include "index/codes/planes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace elanus::index {
namespace {

constexpr size_t kDims[] = {1, 2, 7, 64, 96, 128, 129, 384, 1000};
constexpr int kBitsMax = 9;

struct PackedCodes {
  std::vector<uint8_t> row;
  std::vector<uint32_t> codes;
};

PackedCodes DrawCodes(const Planes& planes, size_t dim, std::mt19937& rng) {
  PackedCodes packed{.row = std::vector<uint8_t>(planes.row_bytes(), 0), .codes = {}};
  const uint32_t most = (1u << planes.bits()) - 1;
  for (size_t d = 0; d < dim; ++d) {
    packed.codes.push_back(rng() % 4 == 0 ? most : static_cast<uint32_t>(rng()) & most);
    planes.Set(packed.row.data(), d, packed.codes[d]);
  }
  return packed;
}

TEST(Planes, GiveBackEveryCodeOfEveryWidth) {
  std::mt19937 rng(1);
  for (int bits = 1; bits <= kBitsMax; ++bits) {
    for (size_t dim : kDims) {
      const Planes planes(bits, dim);
      const PackedCodes packed = DrawCodes(planes, dim, rng);
      for (size_t d = 0; d < dim; ++d) {
        ASSERT_EQ(planes.Get(packed.row.data(), d), packed.codes[d])
            << bits << " bits, dimension " << d << " of " << dim;
      }
    }
  }
}

TEST(Planes, HaveTheDotProductOfTheirCodes) {
  std::mt19937 rng(2);
  for (int bits = 1; bits <= kBitsMax; ++bits) {
    for (size_t dim : kDims) {
      const Planes planes(bits, dim);
      std::vector<int8_t> query(planes.padded(), 0);
      for (size_t d = 0; d < dim; ++d) {
        query[d] = static_cast<int8_t>(rng() % 4 == 0 ? -127 : static_cast<int>(rng() % 255) - 127);
      }
      PackedCodes packed[4];
      const uint8_t* rows[4];
      int64_t expected[4] = {};
      for (size_t i = 0; i < 4; ++i) {
        packed[i] = DrawCodes(planes, dim, rng);
        rows[i] = packed[i].row.data();
        for (size_t d = 0; d < dim; ++d) {
          expected[i] += static_cast<int64_t>(packed[i].codes[d]) * query[d];
        }
      }
      int32_t sums[4];
      planes.Dot(query.data(), rows, sums);
      for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(sums[i], expected[i]) << bits << " bits, dim " << dim << ", row " << i;
      }
    }
  }
}

TEST(Planes, TakeNoMoreThanTheirBitsOfWholeBlocks) {
  for (int bits = 1; bits <= kBitsMax; ++bits) {
    for (size_t dim : kDims) {
      const Planes planes(bits, dim);
      EXPECT_GE(planes.padded(), dim);
      EXPECT_LE(planes.padded(), dim + 127);
      EXPECT_GE(planes.row_bytes() * 8, dim * static_cast<size_t>(bits));
      EXPECT_LE(planes.row_bytes() * 8, (dim + 127) * static_cast<size_t>(bits));
    }
  }
}

void ExpectRounded(const std::vector<float>& query, const float* weights) {
  const size_t dim = query.size();
  RoundedQuery rounded(dim + 5);
  rounded.Round(query.data(), weights, dim);
  int64_t sum = 0;
  for (size_t d = 0; d < dim; ++d) {
    const double value = static_cast<double>(query[d]) * (weights == nullptr ? 1.0f : weights[d]);
    EXPECT_NEAR(static_cast<double>(rounded.scale) * rounded.numbers[d], value,
                0.501 * static_cast<double>(rounded.scale))
        << "dimension " << d << " of " << dim;
    sum += rounded.numbers[d];
  }
  for (size_t d = dim; d < dim + 5; ++d) EXPECT_EQ(rounded.numbers[d], 0);
  EXPECT_EQ(rounded.sum, sum);
}

TEST(RoundedQuery, IsTheQueryWithinHalfAStep) {
  std::mt19937 rng(3);
  std::normal_distribution<float> normal;
  for (size_t dim : kDims) {
    for (float size : {1e-20f, 1.0f, 1e20f}) {
      std::vector<float> query(dim);
      std::vector<float> weights(dim);
      for (float& v : query) v = size * normal(rng);
      for (float& w : weights) w = std::abs(normal(rng));
      ExpectRounded(query, nullptr);
      ExpectRounded(query, weights.data());
    }
    ExpectRounded(std::vector<float>(dim, 0.0f), nullptr);
    ExpectRounded(std::vector<float>(dim, -2.5f), nullptr);
  }
}

TEST(RoundedQuery, ForgetsTheOneBefore) {
  RoundedQuery rounded(16);
  const std::vector<float> first(16, 5.0f);
  const std::vector<float> second(16, 0.0f);
  rounded.Round(first.data(), nullptr, 16);
  EXPECT_EQ(rounded.sum, 16 * 127);
  rounded.Round(second.data(), nullptr, 16);
  EXPECT_EQ(rounded.sum, 0);
  EXPECT_EQ(rounded.numbers, std::vector<int8_t>(16, 0));
}

}  // namespace
}  // namespace elanus::index
