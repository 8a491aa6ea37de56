// Product and residual quantisers: the nearest words are chosen, and more bits lose less.
#include "index/codes/additive_codec.h"

#include <gtest/gtest.h>

#include <limits>

#include "index/codes/codec_sample.h"

namespace elanus::index {
namespace {

class AdditiveCodecTest : public testing::Test {
 protected:
  std::unique_ptr<Codec> Train(const Sample& sample, const AdditiveShape& shape,
                               Pool* pool = nullptr) {
    auto codec = TrainAdditiveCodec(ctx_, sample.block(), shape, true, pool);
    EXPECT_TRUE(codec.ok()) << codec.status().ToString();
    return std::move(*codec);
  }
  double Lost(const Codec& codec, const Sample& sample) {
    double lost = 0;
    for (size_t r = 0; r < sample.count(); ++r) {
      const std::vector<float> decoded = Decoded(codec, sample.row(r), sample.dim);
      lost += KeyOf(true, decoded.data(), sample.row(r), sample.dim);
    }
    return lost / static_cast<double>(sample.values.size());
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 2, 64};
};

// Word w of part s, from what Save() gives: four numbers, then part by part, dimension by
// dimension.
std::vector<float> WordOf(const std::string& saved, size_t part_dim, size_t part, size_t word) {
  uint32_t head[4];
  std::memcpy(head, saved.data(), sizeof(head));
  std::vector<float> values(part_dim);
  for (size_t d = 0; d < part_dim; ++d) {
    const size_t at = (part * part_dim + d) * head[3] + word;
    std::memcpy(&values[d], saved.data() + sizeof(head) + at * sizeof(float), sizeof(float));
  }
  return values;
}

TEST_F(AdditiveCodecTest, ChoosesTheNearestWordForEveryNumberOfBits) {
  const Sample sample = Draw(Shape::kNormal, 4500, 8, 3);
  for (uint32_t bits : {1u, 4u, 5u, 8u, 9u, 12u}) {
    const auto codec = Train(sample, {.spaces = 4, .layers = 1, .bits = bits}, &pool_);
    const std::string saved = codec->Save();
    for (size_t r = 0; r < 40; ++r) {
      const float* row = sample.row(r * 100);
      const std::vector<float> decoded = Decoded(*codec, row, 8);
      for (size_t part = 0; part < 4; ++part) {
        double least = std::numeric_limits<double>::infinity();
        for (size_t w = 0; w < size_t{1} << bits; ++w) {
          const std::vector<float> word = WordOf(saved, 2, part, w);
          least = std::min(least, KeyOf(true, row + 2 * part, word.data(), 2));
        }
        ASSERT_LE(KeyOf(true, row + 2 * part, decoded.data() + 2 * part, 2), least + 1e-5)
            << bits << " bits, part " << part;
      }
    }
  }
}

TEST_F(AdditiveCodecTest, LosesLessWithMoreBitsMorePartsAndMoreLayers) {
  const Sample sample = Draw(Shape::kNormal, 3000, 16, 4);
  double before = 1;
  for (uint32_t bits : {1u, 4u, 5u, 8u}) {
    const double lost = Lost(*Train(sample, {.spaces = 4, .layers = 1, .bits = bits}), sample);
    EXPECT_LT(lost, 0.9 * before) << bits << " bits";
    before = lost;
  }
  before = 1;
  for (uint32_t spaces : {1u, 2u, 4u, 8u, 16u}) {
    const double lost = Lost(*Train(sample, {.spaces = spaces, .layers = 1, .bits = 4}), sample);
    EXPECT_LT(lost, 0.95 * before) << spaces << " parts";
    before = lost;
  }
  before = 1;
  for (uint32_t layers : {1u, 2u, 4u, 8u}) {
    const double lost = Lost(*Train(sample, {.spaces = 2, .layers = layers, .bits = 4}), sample);
    EXPECT_LT(lost, 0.95 * before) << layers << " layers";
    before = lost;
  }
}

TEST_F(AdditiveCodecTest, KeepsRowsWholeThatAreNoMoreThanItsWords) {
  for (uint32_t bits : {4u, 5u, 8u, 9u}) {
    const Sample sample = Draw(Shape::kNormal, 16, 12, bits);
    const auto codec = Train(sample, {.spaces = 3, .layers = 1, .bits = bits});
    EXPECT_LT(Lost(*codec, sample), 1e-12) << bits << " bits";
  }
  const Sample equal = Draw(Shape::kConstant, 300, 12, 1);
  EXPECT_LT(Lost(*Train(equal, {.spaces = 3, .layers = 2, .bits = 4}), equal), 1e-10);
}

TEST_F(AdditiveCodecTest, IsTheSameOnOneThreadAndOnSeveral) {
  const Sample sample = Draw(Shape::kNormal, 500, 12, 7);
  const AdditiveShape shape{.spaces = 6, .layers = 2, .bits = 5};
  EXPECT_EQ(Train(sample, shape)->Save(), Train(sample, shape, &pool_)->Save());
}

TEST_F(AdditiveCodecTest, TakesTheBytesItSays) {
  const Sample sample = Draw(Shape::kNormal, 40, 12, 7);
  const std::pair<uint32_t, size_t> sizes[] = {{1, 9},  {4, 9},   {5, 18}, {8, 18},
                                               {9, 36}, {16, 36}, {17, 72}};
  for (const auto& [bits, bytes] : sizes) {
    const AdditiveShape shape{.spaces = 6, .layers = 3, .bits = bits};
    EXPECT_EQ(Train(sample, shape)->row_bytes(), bytes);
    EXPECT_EQ(AdditiveRowBytes(shape), bytes + sizeof(float));
  }
}

TEST_F(AdditiveCodecTest, RefusesCodesThatNameNoWord) {
  for (uint32_t bits : {4u, 5u, 8u, 9u}) {
    const Sample sample = Draw(Shape::kNormal, 10, 4, bits);  // So 10 words.
    const auto codec = Train(sample, {.spaces = 2, .layers = 1, .bits = bits});
    Packed packed = Pack(*codec, sample.block());
    EXPECT_TRUE(codec->Holds(packed.rows()));
    packed.codes[packed.codes.size() - 2] = static_cast<char>(0xbb);  // 11, or more.
    packed.codes[packed.codes.size() - 1] = static_cast<char>(0xbb);
    EXPECT_FALSE(codec->Holds(packed.rows())) << bits << " bits";
  }
}

TEST_F(AdditiveCodecTest, RefusesBooksThatDoNotFit) {
  const Sample sample = Draw(Shape::kNormal, 40, 12, 7);
  const std::string saved = Train(sample, {.spaces = 6, .layers = 2, .bits = 4})->Save();
  const auto code_with = [&](size_t at, uint32_t value) {
    std::string bad = saved;
    std::memcpy(bad.data() + at * sizeof(value), &value, sizeof(value));
    return OpenCodec(CodeKind::kAdditive, 12, true, bad).status().code();
  };
  for (uint32_t spaces : {0u, 5u, 13u, 0xffffffffu}) {
    EXPECT_EQ(code_with(0, spaces), ErrorCode::kIntegrity) << spaces;
  }
  for (uint32_t layers : {0u, 1u, 3u, 17u, 0xffffffffu}) {
    EXPECT_EQ(code_with(1, layers), ErrorCode::kIntegrity) << layers;
  }
  for (uint32_t bits : {0u, 3u, 25u, 0xffffffffu}) {
    EXPECT_EQ(code_with(2, bits), ErrorCode::kIntegrity) << bits;
  }
  for (uint32_t words : {0u, 15u, 17u, 0xffffffffu}) {
    EXPECT_EQ(code_with(3, words), ErrorCode::kIntegrity) << words;
  }
  EXPECT_EQ(OpenCodec(CodeKind::kAdditive, 11, true, saved).status().code(), ErrorCode::kIntegrity);
}

TEST_F(AdditiveCodecTest, TrainsOnNoRowsAndStopsWhenCancelled) {
  const Sample none{.dim = 4, .values = {}};
  const auto codec = Train(none, {.spaces = 2, .layers = 2, .bits = 8});
  EXPECT_TRUE(OpenCodec(CodeKind::kAdditive, 4, true, codec->Save()).ok());
  ctx_.Cancel();
  const Sample sample = Draw(Shape::kNormal, 40, 12, 7);
  EXPECT_EQ(
      TrainAdditiveCodec(ctx_, sample.block(), {.spaces = 2, .layers = 1, .bits = 4}, true, &pool_)
          .status()
          .code(),
      ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::index
