// Codes of the fast scan: words are chosen by the loss of their metric, and blocks hold them.
#include "index/codes/fast_scan_codec.h"

#include <gtest/gtest.h>

#include "index/codes/codec_sample.h"
#include "simd/fast_scan.h"

namespace elanus::index {
namespace {

class FastScanCodecTest : public testing::Test {
 protected:
  std::unique_ptr<Codec> Train(const Sample& sample, uint32_t part_dim, bool is_l2) {
    auto codec = TrainFastScanCodec(ctx_, sample.block(), part_dim, is_l2, nullptr);
    EXPECT_TRUE(codec.ok()) << codec.status().ToString();
    return std::move(*codec);
  }

  SystemClock clock_;
  Context ctx_{clock_};
};

// What is lost of `row`, in all and along `direction`.
struct Loss {
  double all = 0;
  double along = 0;
};
Loss LossOf(const float* row, const float* decoded, const float* direction, size_t dim) {
  std::vector<float> lost(dim);
  for (size_t d = 0; d < dim; ++d) lost[d] = row[d] - decoded[d];
  const double product = Product(lost.data(), direction, dim);
  return {.all = Product(lost.data(), lost.data(), dim),
          .along = product * product / Product(direction, direction, dim)};
}

TEST_F(FastScanCodecTest, LosesLessAlongTheRowWhereProductsCount) {
  constexpr uint32_t kDim = 32;
  const Sample sample = Draw(Shape::kNormal, 600, kDim, 2);
  const auto by_distance = Train(sample, 2, true);
  const auto by_product = Train(sample, 2, false);
  ASSERT_EQ(by_distance->Save(), by_product->Save());  // The codebooks are the same.
  Loss distance, product;
  for (size_t r = 0; r < sample.count(); ++r) {
    const float* row = sample.row(r);
    const Loss nearest = LossOf(row, Decoded(*by_distance, row, kDim).data(), row, kDim);
    const Loss aware = LossOf(row, Decoded(*by_product, row, kDim).data(), row, kDim);
    ASSERT_LE(nearest.all, aware.all + 1e-4);  // Of L2 the nearest words.
    distance.along += nearest.along;
    product.along += aware.along;
    distance.all += nearest.all;
    product.all += aware.all;
  }
  EXPECT_LT(product.along, 0.9 * distance.along);
  EXPECT_LT(product.all, 1.5 * distance.all);
}

TEST_F(FastScanCodecTest, WeighsAlongTheRowAndNotAlongWhatIsLeftOver) {
  constexpr uint32_t kDim = 32;
  const Sample residuals = Draw(Shape::kNormal, 600, kDim, 2);
  const Sample centroid = Draw(Shape::kNormal, 1, kDim, 3);
  const auto codec = Train(residuals, 2, false);
  double around_origin = 0, around_centroid = 0;
  for (size_t r = 0; r < residuals.count(); ++r) {
    const float* residual = residuals.row(r);
    std::vector<float> row(residual, residual + kDim);
    for (size_t d = 0; d < kDim; ++d) row[d] += 8 * centroid.values[d];
    std::vector<float> far = centroid.values;
    for (float& v : far) v *= 8;
    std::string code(codec->row_bytes(), '\0');
    std::vector<float> decoded(kDim);
    codec->EncodeResidual(residual, far.data(), code.data());
    codec->Decode(code.data(), decoded.data());
    around_centroid += LossOf(residual, decoded.data(), row.data(), kDim).along;
    codec->Encode(residual, code.data());
    codec->Decode(code.data(), decoded.data());
    around_origin += LossOf(residual, decoded.data(), row.data(), kDim).along;
  }
  EXPECT_LT(around_centroid, around_origin);
}

TEST_F(FastScanCodecTest, KeepsRowsWholeThatAreNoMoreThanItsWords) {
  const Sample sample = Draw(Shape::kNormal, 16, 12, 9);
  const auto codec = Train(sample, 3, true);
  for (size_t r = 0; r < sample.count(); ++r) {
    const std::vector<float> decoded = Decoded(*codec, sample.row(r), 12);
    EXPECT_LT(KeyOf(true, decoded.data(), sample.row(r), 12), 1e-10);
  }
}

TEST_F(FastScanCodecTest, TakesHalfAByteAPartInWholeBlocks) {
  for (const auto& [dim, part_dim, bytes] :
       {std::tuple{2u, 1u, 2u}, {2u, 2u, 2u}, {96u, 2u, 24u}, {128u, 2u, 32u}, {129u, 3u, 22u}}) {
    const Sample sample = Draw(Shape::kNormal, 20, dim, 9);
    const auto codec = Train(sample, part_dim, true);
    EXPECT_EQ(codec->row_bytes(), bytes);
    EXPECT_EQ(codec->block_rows(), simd::kFastScanRows);
    EXPECT_EQ(FastScanRowBytes(dim, part_dim), bytes + sizeof(float));
  }
}

// Sums of a thousand parts do not pass the 16 bits they are added up in.
TEST_F(FastScanCodecTest, ChoosesRightWhenManyPartsAreFarFromTheQuery) {
  constexpr uint32_t kDim = 1536;
  const Sample sample = Draw(Shape::kNormal, 32, kDim, 9);
  for (bool is_l2 : {true, false}) {
    const auto codec = Train(sample, 1, is_l2);
    const Packed packed = Pack(*codec, sample.block());
    const auto scorer = codec->NewScorer(packed.rows());
    std::vector<float> query(kDim, -50.0f);
    scorer->SetQuery(query.data());
    uint32_t rows[32];
    float keys[32];
    ASSERT_EQ(scorer->Below(0, 32, 0, std::numeric_limits<float>::infinity(), rows, keys), 32u);
    for (size_t i = 0; i < 32; ++i) {
      const std::vector<float> decoded = Decoded(*codec, sample.row(rows[i]), kDim);
      const double key = KeyOf(is_l2, query.data(), decoded.data(), kDim);
      // Of the 768 half steps that may add up at worst, a few in practice.
      EXPECT_NEAR(keys[i], key, 0.01 * std::abs(KeyOf(true, query.data(), decoded.data(), kDim)));
    }
  }
}

TEST_F(FastScanCodecTest, RefusesPartsThatDoNotDivideTheDimension) {
  const Sample sample = Draw(Shape::kNormal, 20, 12, 9);
  const std::string saved = Train(sample, 3, true)->Save();
  for (uint32_t part_dim : {0u, 5u, 13u, 24u, 0xffffffffu}) {
    std::string bad = saved;
    std::memcpy(bad.data(), &part_dim, sizeof(part_dim));
    EXPECT_EQ(OpenCodec(CodeKind::kFastScan, 12, true, bad).status().code(), ErrorCode::kIntegrity);
  }
}

TEST_F(FastScanCodecTest, TrainsOnNoRowsAndStopsWhenCancelled) {
  const Sample none{.dim = 4, .values = {}};
  const auto codec = Train(none, 2, true);
  EXPECT_TRUE(OpenCodec(CodeKind::kFastScan, 4, true, codec->Save()).ok());
  ctx_.Cancel();
  const Sample sample = Draw(Shape::kNormal, 40, 12, 7);
  EXPECT_EQ(TrainFastScanCodec(ctx_, sample.block(), 2, true, nullptr).status().code(),
            ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::index
