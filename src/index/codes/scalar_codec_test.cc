// What floats of 16 bits and scalar quantisers lose: no more than half a step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "index/codes/codec_sample.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDims[] = {1, 2, 7, 96, 128, 129, 384, 1000};
constexpr CodeKind kScalars[] = {CodeKind::kSq8, CodeKind::kSq6, CodeKind::kSq4};

TEST(HalfCodec, LosesHalfAnUnitOfTheLastPlace) {
  const std::pair<CodeKind, double> kinds[] = {{CodeKind::kFloat16, 1.0 / (1 << 11)},
                                               {CodeKind::kBFloat16, 1.0 / (1 << 8)}};
  for (const auto& [kind, unit] : kinds) {
    for (uint32_t dim : kDims) {
      for (Shape shape : {Shape::kNormal, Shape::kConstant, Shape::kExtreme}) {
        const Sample sample = Draw(shape, 20, dim, dim);
        const auto codec = TrainCodec(kind, sample.block(), true);
        for (size_t r = 0; r < sample.count(); ++r) {
          const std::vector<float> decoded = Decoded(*codec, sample.row(r), dim);
          for (uint32_t d = 0; d < dim; ++d) {
            // Below 2^-14 a half has steps of 2^-24.
            const double slack = std::max(unit * std::abs(sample.row(r)[d]), std::ldexp(1.0, -25));
            ASSERT_NEAR(decoded[d], sample.row(r)[d], slack) << "dim " << dim;
          }
        }
      }
    }
  }
}

struct Bounds {
  std::vector<float> low;
  std::vector<float> step;
};

Bounds BoundsOf(const Codec& codec, uint32_t dim) {
  const std::string saved = codec.Save();
  Bounds bounds{.low = std::vector<float>(dim), .step = std::vector<float>(dim)};
  std::memcpy(bounds.low.data(), saved.data(), dim * sizeof(float));
  std::memcpy(bounds.step.data(), saved.data() + dim * sizeof(float), dim * sizeof(float));
  return bounds;
}

double LevelsOf(CodeKind kind) {
  return kind == CodeKind::kSq8 ? 255 : kind == CodeKind::kSq6 ? 63 : 15;
}

TEST(ScalarCodec, DecodesWithinHalfAStepOfTheValueCutToItsBounds) {
  for (CodeKind kind : kScalars) {
    for (uint32_t dim : kDims) {
      for (Shape shape : {Shape::kNormal, Shape::kConstant, Shape::kExtreme}) {
        const Sample sample = Draw(shape, 100, dim, dim);
        const auto codec = TrainCodec(kind, sample.block(), true);
        const Bounds bounds = BoundsOf(*codec, dim);
        for (size_t r = 0; r < sample.count(); ++r) {
          const std::vector<float> decoded = Decoded(*codec, sample.row(r), dim);
          for (uint32_t d = 0; d < dim; ++d) {
            const double low = bounds.low[d];
            const double step = bounds.step[d];
            const double high = low + step * LevelsOf(kind);
            const double cut = std::clamp<double>(sample.row(r)[d], low, high);
            ASSERT_NEAR(decoded[d], cut, 0.501 * step + 1e-6 * std::abs(cut))
                << "dim " << dim << " dimension " << d;
          }
        }
      }
    }
  }
}

TEST(ScalarCodec, KeepsWhatNeverChanges) {
  for (CodeKind kind : kScalars) {
    for (float value : {0.0f, 3.25f, -1e-20f, 1e20f}) {
      const Sample sample{.dim = 9, .values = std::vector<float>(9 * 50, value)};
      const auto codec = TrainCodec(kind, sample.block(), true);
      EXPECT_EQ(Decoded(*codec, sample.row(0), 9), std::vector<float>(9, value));
    }
  }
}

// Max 1960, table of uniform quantisers: 0.0115 of the variance for 16 levels, 0.00104 for 64,
// 0.0000916 for 256.
TEST(ScalarCodec, LosesLittleMoreThanTheBestUniformQuantiser) {
  constexpr double kLost[] = {0.000092, 0.00105, 0.0116};
  const Sample sample = Draw(Shape::kNormal, 4000, 16, 8);
  for (size_t i = 0; i < 3; ++i) {
    const auto codec = TrainCodec(kScalars[i], sample.block(), true);
    double lost = 0;
    for (size_t r = 0; r < sample.count(); ++r) {
      const std::vector<float> decoded = Decoded(*codec, sample.row(r), 16);
      lost += KeyOf(true, decoded.data(), sample.row(r), 16);
    }
    EXPECT_LT(lost / (4000.0 * 16), 1.15 * kLost[i]);
  }
}

TEST(ScalarCodec, HasBoundsForNoRowsAtAll) {
  for (CodeKind kind : kScalars) {
    const auto codec = TrainCodec(kind, VectorBlock{.data = nullptr, .rows = 0, .dim = 5}, true);
    auto opened = OpenCodec(kind, 5, true, codec->Save());
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  }
}

TEST(ScalarCodec, RefusesBoundsThatAreNoNumbers) {
  const Sample sample = Draw(Shape::kNormal, 20, 4, 1);
  const std::string saved = TrainCodec(CodeKind::kSq8, sample.block(), true)->Save();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto code_with = [&](size_t at, float value) {
    std::string bad = saved;
    std::memcpy(bad.data() + at * sizeof(float), &value, sizeof(value));
    return OpenCodec(CodeKind::kSq8, 4, true, bad).status().code();
  };
  EXPECT_EQ(code_with(1, std::nanf("")), ErrorCode::kIntegrity);
  EXPECT_EQ(code_with(2, -infinity), ErrorCode::kIntegrity);
  EXPECT_EQ(code_with(4, 0.0f), ErrorCode::kIntegrity);  // The first step.
  EXPECT_EQ(code_with(5, -1.0f), ErrorCode::kIntegrity);
  EXPECT_EQ(code_with(7, infinity), ErrorCode::kIntegrity);
  EXPECT_EQ(code_with(6, std::nanf("")), ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace elanus::index
