// The rotation is one: lengths and angles stay, and what was in one place is spread over all.
#include "index/codes/rotation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "index/codes/codec_sample.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDims[] = {1, 2, 3, 7, 96, 128, 129, 384, 1000, 1536};

std::vector<float> Rotated(const Rotation& rotation, const float* from, size_t dim) {
  std::vector<float> to(dim);
  rotation.Apply(from, to.data());
  return to;
}

TEST(Rotation, KeepsLengthsAndProducts) {
  for (uint32_t dim : kDims) {
    const Rotation rotation(dim);
    for (Shape shape : {Shape::kNormal, Shape::kConstant, Shape::kExtreme}) {
      const Sample sample = Draw(shape, 12, dim, dim);
      for (size_t i = 0; i + 1 < sample.count(); ++i) {
        const std::vector<float> a = Rotated(rotation, sample.row(i), dim);
        const std::vector<float> b = Rotated(rotation, sample.row(i + 1), dim);
        const double square = Product(sample.row(i), sample.row(i), dim);
        EXPECT_NEAR(Product(a.data(), a.data(), dim), square, 1e-5 * square) << "dim " << dim;
        const double size = std::sqrt(square * Product(sample.row(i + 1), sample.row(i + 1), dim));
        EXPECT_NEAR(Product(a.data(), b.data(), dim),
                    Product(sample.row(i), sample.row(i + 1), dim), 1e-5 * size)
            << "dim " << dim;
      }
    }
  }
}

TEST(Rotation, IsTheSameForTheSameDimensionAndInPlace) {
  for (uint32_t dim : kDims) {
    const Sample sample = Draw(Shape::kNormal, 1, dim, 4);
    const std::vector<float> once = Rotated(Rotation(dim), sample.row(0), dim);
    std::vector<float> again = sample.values;
    Rotation(dim).Apply(again.data(), again.data());
    EXPECT_EQ(again, once) << "dim " << dim;
  }
}

// A code of signs sees nothing of a vector that lies along one axis unless it is spread.
TEST(Rotation, SpreadsASingleNumberOverAllDimensions) {
  for (uint32_t dim : {96u, 128u, 129u, 384u, 1000u, 1536u}) {
    const Rotation rotation(dim);
    for (uint32_t at : {0u, 1u, dim / 2, dim - 1}) {
      std::vector<float> axis(dim, 0.0f);
      axis[at] = 1;
      const std::vector<float> spread = Rotated(rotation, axis.data(), dim);
      double fourth = 0;
      for (float v : spread) fourth += std::pow(static_cast<double>(v), 4);
      // 1 for an axis, 3 / dim for a random direction.
      EXPECT_LT(fourth, 12.0 / dim) << "axis " << at << " of " << dim;
    }
  }
}

}  // namespace
}  // namespace elanus::index
