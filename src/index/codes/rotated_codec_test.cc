// The estimates of rotated codes: without bias, and as good for a row of any length.
#include "index/codes/rotated_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "index/codes/codec_sample.h"

namespace elanus::index {
namespace {

// Rows around a far mean, row i `lengths[i % lengths.size()]` times as long from there as others.
Sample DrawAround(size_t rows, uint32_t dim, uint32_t seed, const std::vector<float>& lengths) {
  Sample sample = Draw(Shape::kNormal, rows, dim, seed);
  for (size_t i = 0; i < sample.values.size(); ++i) {
    sample.values[i] = sample.values[i] * lengths[i / dim % lengths.size()] + 5.0f;
  }
  return sample;
}

struct Errors {
  double mean = 0;       // In standard errors of it.
  double deviation = 0;  // In |row - mean| |query - mean| / sqrt(dim).
};

// Of the products with queries that lie near rows.
Errors Measure(bool is_l2, uint32_t dim, const std::vector<float>& lengths) {
  const Sample sample = DrawAround(600, dim, dim, lengths);
  const auto codec = TrainRotatedCodec(sample.block(), is_l2);
  const Packed packed = Pack(*codec, sample.block());
  const auto scorer = codec->NewScorer(packed.rows());
  std::vector<float> mean(dim);
  const std::string saved = codec->Save();
  std::memcpy(mean.data(), saved.data(), saved.size());
  const auto length_of = [&](const float* row) {
    return std::sqrt(KeyOf(true, row, mean.data(), dim));
  };
  const Sample noise = Draw(Shape::kNormal, 20, dim, dim + 1);
  double sum = 0;
  double squares = 0;
  std::vector<float> keys(sample.count());
  for (size_t q = 0; q < noise.count(); ++q) {
    std::vector<float> query(dim);
    for (uint32_t d = 0; d < dim; ++d) query[d] = sample.row(q)[d] + 0.5f * noise.row(q)[d];
    scorer->SetQuery(query.data());
    scorer->ScoreRange(0, keys.size(), keys.data());
    for (size_t r = 0; r < keys.size(); ++r) {
      const double size = length_of(sample.row(r)) * length_of(query.data()) / std::sqrt(dim);
      const double key = KeyOf(is_l2, query.data(), sample.row(r), dim);
      const double error = (keys[r] - key) / size / (is_l2 ? 2 : 1);
      sum += error;
      squares += error * error;
    }
  }
  const auto count = static_cast<double>(noise.count() * sample.count());
  const double deviation = std::sqrt(squares / count);
  return {.mean = sum / count / (deviation / std::sqrt(count)), .deviation = deviation};
}

TEST(RotatedCodec, EstimatesWithoutBiasAndCloserThanAnEighth) {
  for (uint32_t dim : {96u, 129u, 384u}) {
    for (bool is_l2 : {true, false}) {
      const Errors errors = Measure(is_l2, dim, {1});
      // Errors of one query have something in common: no more than a few standard errors.
      EXPECT_LT(std::abs(errors.mean), 8) << "dim " << dim;
      EXPECT_LT(errors.deviation, 0.125) << "dim " << dim;
    }
  }
}

TEST(RotatedCodec, EstimatesShortRowsAsWellAmongAFewLongOnes) {
  const std::vector<float> lengths = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1000};
  for (bool is_l2 : {true, false}) EXPECT_LT(Measure(is_l2, 128, lengths).deviation, 0.14);
}

TEST(RotatedCodec, KnowsTheDistanceOfARowThatIsTheMean) {
  Sample sample{.dim = 7, .values = std::vector<float>(7 * 5, 3.0f)};
  const auto codec = TrainRotatedCodec(sample.block(), true);
  const Packed packed = Pack(*codec, sample.block());
  const auto scorer = codec->NewScorer(packed.rows());
  const std::vector<float> query = {1, 2, 3, 4, 5, 6, 7};
  scorer->SetQuery(query.data());
  EXPECT_FLOAT_EQ(scorer->ScoreExact(2),
                  static_cast<float>(KeyOf(true, query.data(), sample.row(2), 7)));
}

TEST(RotatedCodec, DecodesToTheLengthOfTheRow) {
  for (uint32_t dim : {1u, 2u, 7u, 128u, 1000u}) {
    const Sample sample = Draw(Shape::kExtreme, 8, dim, dim);
    const auto codec = TrainRotatedCodec({.data = nullptr, .rows = 0, .dim = dim}, true);
    for (size_t r = 0; r < sample.count(); ++r) {
      const std::vector<float> decoded = Decoded(*codec, sample.row(r), dim);
      const double length = std::sqrt(Product(sample.row(r), sample.row(r), dim));
      // Without bias along the row, so a little longer than it.
      EXPECT_NEAR(std::sqrt(Product(decoded.data(), decoded.data(), dim)), length, 0.03 * length)
          << "dim " << dim << " row " << r;
    }
  }
}

TEST(RotatedCodec, RefusesALengthThatIsNoNumber) {
  const Sample sample = Draw(Shape::kNormal, 3, 9, 1);
  const auto codec = TrainRotatedCodec(sample.block(), true);
  Packed packed = Pack(*codec, sample.block());
  EXPECT_TRUE(codec->Holds(packed.rows()));
  std::memset(packed.codes.data() + 2 * codec->row_bytes() - 2, 0xff, 2);
  EXPECT_FALSE(codec->Holds(packed.rows()));
}

TEST(RotatedCodec, TakesTheBytesItSays) {
  for (uint32_t dim : {1u, 2u, 127u, 384u}) {
    const auto codec = TrainRotatedCodec({.data = nullptr, .rows = 0, .dim = dim}, false);
    EXPECT_EQ(codec->row_bytes(), RotatedRowBytes(dim));
    EXPECT_EQ(codec->row_bytes(), (dim + 1) / 2 + 4);
    EXPECT_EQ(codec->Save().size(), RotatedSavedBytes(dim));
  }
}

}  // namespace
}  // namespace elanus::index
