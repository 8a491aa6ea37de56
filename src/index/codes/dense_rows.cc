// Dense rows of any element.
#include "index/codes/dense_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "index/codes/spread_rows.h"

namespace elanus::index {
namespace {

template <class Element>
const Element* As(const void* p) {
  return static_cast<const Element*>(p);
}

const simd::HalfKernels& HalvesOf(ElementType element) {
  return element == ElementType::kBFloat16 ? simd::BFloat16Kernels() : simd::Float16Kernels();
}

}  // namespace

void DecodeElements(ElementType element, const void* from, size_t count, float* to) {
  switch (element) {
    case ElementType::kFloat32:
      std::memcpy(to, from, count * sizeof(float));
      return;
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      HalvesOf(element).decode(As<uint16_t>(from), count, to);
      return;
    case ElementType::kInt8:
      std::copy_n(As<int8_t>(from), count, to);
      return;
    default:
      CHECK(false);
  }
}

void EncodeElements(ElementType element, const float* from, size_t count, void* to) {
  switch (element) {
    case ElementType::kFloat32:
      std::memcpy(to, from, count * sizeof(float));
      return;
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      HalvesOf(element).encode(from, count, static_cast<uint16_t*>(to));
      return;
    case ElementType::kInt8:
      for (size_t i = 0; i < count; ++i) {
        static_cast<int8_t*>(to)[i] =
            static_cast<int8_t>(std::lrint(std::clamp(from[i], -128.0f, 127.0f)));
      }
      return;
    default:
      CHECK(false);
  }
}

float InverseNorm(const float* row, size_t dim) {
  return InverseNorm(ElementType::kFloat32, row, dim);
}

float InverseNorm(ElementType element, const void* row, size_t dim) {
  float square = 0;
  if (element == ElementType::kFloat32) {
    square = simd::Best().ip(As<float>(row), As<float>(row), dim);
  } else if (element == ElementType::kInt8) {
    square = static_cast<float>(simd::BestInt8().ip(As<int8_t>(row), As<int8_t>(row), dim));
  } else {
    square = HalvesOf(element).square(As<uint16_t>(row), dim);
  }
  return square > 0 ? 1.0f / std::sqrt(square) : 0.0f;
}

std::vector<float> InverseNorms(const VectorBlock& rows) {
  std::vector<float> norms(rows.rows);
  for (size_t i = 0; i < rows.rows; ++i) {
    norms[i] = InverseNorm(rows.element, RowOf(rows, i), rows.dim);
  }
  return norms;
}

ElementDistance::ElementDistance(ElementType element, uint32_t dim, bool is_l2)
    : element_(element),
      dim_(dim),
      is_l2_(is_l2),
      prefetch_bytes_(
          std::min(kPrefetchBytes, VectorBlock{.dim = dim, .element = element}.row_bytes())),
      floats_(simd::Best()),
      halves_(HalvesOf(element)),
      bytes_(simd::BestInt8()) {
  CHECK(KindOf(element) == VectorKind::kDense);
}

const void* ElementDistance::Prepare(const void* row, std::vector<float>& scratch) const {
  if (element_ == ElementType::kFloat32 || element_ == ElementType::kInt8) return row;
  scratch.resize(dim_);
  DecodeElements(element_, row, dim_, scratch.data());
  return scratch.data();
}

const void* ElementDistance::PrepareFloats(const float* row, std::vector<float>& scratch) const {
  if (element_ != ElementType::kInt8) return row;
  scratch.resize((dim_ + sizeof(float) - 1) / sizeof(float));
  EncodeElements(element_, row, dim_, scratch.data());
  return scratch.data();
}

float ElementDistance::OneOther(const void* prepared, const void* row) const {
  float key = 0;
  if (element_ == ElementType::kInt8) {
    key = static_cast<float>(
        (is_l2_ ? bytes_.l2 : bytes_.ip)(As<int8_t>(prepared), As<int8_t>(row), dim_));
  } else {
    key = (is_l2_ ? halves_.l2 : halves_.ip)(As<float>(prepared), As<uint16_t>(row), dim_);
  }
  return is_l2_ ? key : -key;
}

void ElementDistance::FourOther(const void* prepared, const void* const rows[4],
                                float keys[4]) const {
  if (element_ == ElementType::kInt8) {
    const int8_t* const four[4] = {As<int8_t>(rows[0]), As<int8_t>(rows[1]), As<int8_t>(rows[2]),
                                   As<int8_t>(rows[3])};
    int32_t sums[4];
    (is_l2_ ? bytes_.l2_x4 : bytes_.ip_x4)(As<int8_t>(prepared), four, dim_, sums);
    for (int i = 0; i < 4; ++i) keys[i] = static_cast<float>(sums[i]);
  } else {
    const uint16_t* const four[4] = {As<uint16_t>(rows[0]), As<uint16_t>(rows[1]),
                                     As<uint16_t>(rows[2]), As<uint16_t>(rows[3])};
    (is_l2_ ? halves_.l2_x4 : halves_.ip_x4)(As<float>(prepared), four, dim_, keys);
  }
  if (is_l2_) return;
  for (int i = 0; i < 4; ++i) keys[i] = -keys[i];
}

FloatRows::FloatRows(VectorBlock rows, bool normalise, uint32_t width)
    : rows_(rows),
      normalise_(normalise),
      width_(width == 0 ? rows.dim : width),
      lies_ready_(rows.element == ElementType::kFloat32 && !normalise && width_ == rows.dim) {}

const float* FloatRows::Read(size_t begin, size_t count, float* scratch) const {
  if (lies_ready_) return rows_.row(begin);
  for (size_t i = 0; i < count; ++i) Copy(begin + i, scratch + i * width_);
  return scratch;
}

void FloatRows::Copy(size_t i, float* to) const {
  DecodeElements(rows_.element, RowOf(rows_, i), rows_.dim, to);
  std::fill(to + rows_.dim, to + width_, 0.0f);
  if (!normalise_) return;
  const float scale = InverseNorm(to, rows_.dim);
  for (size_t d = 0; d < rows_.dim; ++d) to[d] *= scale;
}

FloatSample SpreadRows(const FloatRows& rows, size_t most) {
  const size_t count = std::min(rows.rows(), most);
  FloatSample sample{.owned = std::vector<float>(count * rows.dim()), .block = {}};
  for (size_t i = 0; i < count; ++i) {
    rows.Copy(i * rows.rows() / count, sample.owned.data() + i * rows.dim());
  }
  sample.block = {.data = sample.owned.data(), .rows = count, .dim = rows.dim()};
  return sample;
}

FloatSample SampleRows(const FloatRows& rows, size_t most) {
  if (!rows.lies_ready()) return SpreadRows(rows, most);
  return {.owned = {}, .block = rows.block()};
}

void QueryVector::Set(const VectorBlock& queries, size_t i) {
  if (queries.element == ElementType::kFloat32) {
    plain_ = queries.row(i);
  } else {
    decoded_.resize(dim_);
    DecodeElements(queries.element, RowOf(queries, i), dim_, decoded_.data());
    plain_ = decoded_.data();
  }
  unit_ = plain_;
  if (!is_cosine_) return;
  normalised_.resize(dim_);
  const float scale = InverseNorm(plain_, dim_);
  for (size_t d = 0; d < dim_; ++d) normalised_[d] = plain_[d] * scale;
  unit_ = normalised_.data();
}

}  // namespace elanus::index
