// RaBitQ's estimates: without bias, and closer with more bits.
#include <gtest/gtest.h>

#include <cmath>

#include "index/codes/codec_sample.h"
#include "index/codes/codecs.h"

namespace elanus::index {
namespace {

constexpr int kBitsMax = 9;

// One row packed as a residual from `centroid`, with the square of the whole row as its term.
Packed PackResidual(const Codec& codec, const std::vector<float>& residual,
                    const std::vector<float>& centroid) {
  Packed packed{.codes = std::vector<char>(codec.row_bytes(), '\0'), .count = 1};
  codec.EncodeResidual(residual.data(), centroid.data(), packed.codes.data());
  double square = 0;
  for (size_t d = 0; d < residual.size(); ++d) {
    square += std::pow(static_cast<double>(residual[d]) + centroid[d], 2);
  }
  packed.terms = {static_cast<float>(square)};
  return packed;
}

std::vector<float> Normal(std::mt19937& rng, size_t dim, float size) {
  std::normal_distribution<float> normal(0, size);
  std::vector<float> values(dim);
  for (float& v : values) v = normal(rng);
  return values;
}

struct Estimates {
  double bias = 0;       // The mean error, in standard errors of it.
  double slope = 0;      // Of the estimates over the true products.
  double deviation = 0;  // Of the error, in |residual| |query| / sqrt(dim).
};

// Estimates of <x, q> for x around a far centroid, less the centroid's part, which lists add.
Estimates Measure(int bits, uint32_t dim, size_t pairs) {
  std::mt19937 rng(static_cast<uint32_t>(bits) * 1000 + dim);
  const auto codec = MakeRabitqCodec(bits, dim, false);
  double sum = 0, squares = 0, cross = 0, truth_squares = 0;
  for (size_t i = 0; i < pairs; ++i) {
    const std::vector<float> centroid = Normal(rng, dim, 3);
    const std::vector<float> residual = Normal(rng, dim, 1);
    std::vector<float> query = Normal(rng, dim, 1);
    for (size_t d = 0; d < dim; ++d) query[d] += centroid[d] + 0.5f * residual[d];
    const Packed packed = PackResidual(*codec, residual, centroid);
    const auto scorer = codec->NewScorer(packed.rows());
    scorer->SetQuery(query.data());
    const double truth = Product(residual.data(), query.data(), dim);
    // The query as seen from the centroid is what the estimate is of.
    std::vector<float> away(dim);
    for (size_t d = 0; d < dim; ++d) away[d] = query[d] - centroid[d];
    const double size = std::sqrt(Product(residual.data(), residual.data(), dim) *
                                  Product(away.data(), away.data(), dim) / dim);
    const double part = Product(residual.data(), away.data(), dim) / size;
    const double error = (-scorer->ScoreExact(0) - truth) / size;
    sum += error;
    squares += error * error;
    cross += (part + error) * part;
    truth_squares += part * part;
  }
  const auto n = static_cast<double>(pairs);
  const double deviation = std::sqrt(squares / n);
  return {.bias = sum / n / (deviation / std::sqrt(n)),
          .slope = cross / truth_squares,
          .deviation = deviation};
}

TEST(RabitqCodec, EstimatesWithoutBias) {
  for (uint32_t dim : {96u, 128u, 384u}) {
    for (int bits = 1; bits <= kBitsMax; ++bits) {
      const Estimates estimates = Measure(bits, dim, 1500);
      EXPECT_LT(std::abs(estimates.bias), 4) << bits << " bits, dim " << dim;
      EXPECT_NEAR(estimates.slope, 1, 0.015) << bits << " bits, dim " << dim;
    }
  }
}

// Errors halve with each bit, until the 8 bits of the query are what is left of them.
TEST(RabitqCodec, EstimatesBetterWithEachBit) {
  for (int bits = 1; bits <= kBitsMax; ++bits) {
    EXPECT_LT(Measure(bits, 128, 600).deviation, 1.0 / (1 << (bits - 1)) + 0.03) << bits;
  }
}

TEST(RabitqCodec, KnowsTheProductOfARowWithItself) {
  std::mt19937 rng(5);
  for (uint32_t dim : {1u, 2u, 7u, 96u, 128u, 129u, 1000u}) {
    const std::vector<float> origin(dim, 0.0f);
    for (int bits = 1; bits <= kBitsMax; ++bits) {
      const auto codec = MakeRabitqCodec(bits, dim, false);
      const std::vector<float> row = Normal(rng, dim, 2);
      const Packed packed = PackResidual(*codec, row, origin);
      const auto scorer = codec->NewScorer(packed.rows());
      scorer->SetQuery(row.data());
      const double square = Product(row.data(), row.data(), dim);
      EXPECT_NEAR(-scorer->ScoreExact(0), square, 0.02 * square) << bits << " bits, dim " << dim;
    }
  }
}

TEST(RabitqCodec, KnowsTheDistanceOfARowThatIsItsCentroid) {
  std::mt19937 rng(6);
  for (int bits = 1; bits <= kBitsMax; ++bits) {
    const std::vector<float> centroid = Normal(rng, 96, 1);
    const std::vector<float> query = Normal(rng, 96, 1);
    const auto codec = MakeRabitqCodec(bits, 96, true);
    const Packed packed = PackResidual(*codec, std::vector<float>(96, 0.0f), centroid);
    const auto scorer = codec->NewScorer(packed.rows());
    scorer->SetQuery(query.data());
    const double distance = KeyOf(true, query.data(), centroid.data(), 96);
    EXPECT_NEAR(scorer->ScoreExact(0) - 2 * Product(query.data(), centroid.data(), 96), distance,
                1e-4 * distance);
  }
}

TEST(RabitqCodec, RefusesNumbersOfBitsThatCannotBe) {
  for (const char bits : {'\0', '\x0a', '\x7f', '\xff'}) {
    EXPECT_EQ(OpenCodec(CodeKind::kRabitq, 8, true, std::string(1, bits)).status().code(),
              ErrorCode::kIntegrity);
  }
}

TEST(RabitqCodec, TakesTheBytesItSays) {
  for (int bits = 1; bits <= kBitsMax; ++bits) {
    for (uint32_t dim : {1u, 128u, 129u, 1000u}) {
      EXPECT_EQ(RabitqRowBytes(bits, dim), MakeRabitqCodec(bits, dim, true)->row_bytes() + 4);
    }
  }
}

}  // namespace
}  // namespace elanus::index
