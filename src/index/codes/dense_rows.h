// Dense rows of any element: as float32 numbers, and how far they are from a vector without
// becoming such.
#pragma once

#include <vector>

#include "base/prefetch.h"
#include "index/vector_block.h"
#include "model/data_type.h"
#include "simd/half_kernels.h"
#include "simd/int8_kernels.h"
#include "simd/kernels.h"

namespace elanus::index {

/// Writes `count` elements at `from` as float32.
void DecodeElements(ElementType element, const void* from, size_t count, float* to);
/// Rounds float32 numbers to an element, to nearest; int8: within its range.
void EncodeElements(ElementType element, const float* from, size_t count, void* to);

/// Row i of dense rows.
inline const void* RowOf(const VectorBlock& rows, size_t i) {
  return static_cast<const char*>(rows.data) + i * rows.row_bytes();
}

/// 1 / length of a row; 0 for a zero row.
float InverseNorm(const float* row, size_t dim);
float InverseNorm(ElementType element, const void* row, size_t dim);
/// Of every row.
std::vector<float> InverseNorms(const VectorBlock& rows);

/// Distances between vectors of one element. Keys sort ascending: the squared distance or the
/// negated inner product. Immutable.
class ElementDistance {
 public:
  ElementDistance(ElementType element, uint32_t dim, bool is_l2);

  /// A row as One and Four take their first side: the row itself, or float32 in `scratch`.
  const void* Prepare(const void* row, std::vector<float>& scratch) const;
  /// The same of float32 numbers that a row of this element has been decoded to.
  const void* PrepareFloats(const float* row, std::vector<float>& scratch) const;
  float One(const void* prepared, const void* row) const {
    if (element_ != ElementType::kFloat32) return OneOther(prepared, row);
    const auto* a = static_cast<const float*>(prepared);
    const auto* b = static_cast<const float*>(row);
    return is_l2_ ? floats_.l2(a, b, dim_) : -floats_.ip(a, b, dim_);
  }
  void Four(const void* prepared, const void* const rows[4], float keys[4]) const {
    if (element_ != ElementType::kFloat32) {
      FourOther(prepared, rows, keys);
      return;
    }
    const auto* query = static_cast<const float*>(prepared);
    const float* const four[4] = {
        static_cast<const float*>(rows[0]), static_cast<const float*>(rows[1]),
        static_cast<const float*>(rows[2]), static_cast<const float*>(rows[3])};
    if (is_l2_) {
      floats_.l2_x4(query, four, dim_, keys);
      return;
    }
    floats_.ip_x4(query, four, dim_, keys);
    for (int i = 0; i < 4; ++i) keys[i] = -keys[i];
  }
  void Prefetch(const void* row) const { PrefetchBytes(row, prefetch_bytes_); }

 private:
  float OneOther(const void* prepared, const void* row) const;
  void FourOther(const void* prepared, const void* const rows[4], float keys[4]) const;

  // The processor fetches the rest of a long row by itself.
  static constexpr size_t kPrefetchBytes = 512;
  const ElementType element_;
  const size_t dim_;
  const bool is_l2_;
  const size_t prefetch_bytes_;
  const simd::Kernels& floats_;
  const simd::HalfKernels& halves_;
  const simd::Int8Kernels& bytes_;
};

/// Rows of any dense element, read as float32: as they are, or each of length 1 (zero rows stay
/// zero). Borrows them. Thread-safe.
class FloatRows {
 public:
  FloatRows(VectorBlock rows) : FloatRows(rows, false) {}  // NOLINT: float32 rows are such rows.
  /// `width`: numbers of a row, at least the rows' dim; zeros fill up. 0: as many as dim.
  FloatRows(VectorBlock rows, bool normalise, uint32_t width = 0);

  size_t rows() const { return rows_.rows; }
  uint32_t dim() const { return width_; }
  /// Rows [begin, begin + count) one after the other: where they lie, or in `scratch`, which has
  /// room for them.
  const float* Read(size_t begin, size_t count, float* scratch) const;
  /// Row i into `to`.
  void Copy(size_t i, float* to) const;
  /// Rows that lie as they are read.
  bool lies_ready() const { return lies_ready_; }
  const VectorBlock& block() const { return rows_; }

 private:
  VectorBlock rows_;
  bool normalise_;
  uint32_t width_;
  bool lies_ready_;
};

/// Float32 rows, owned where they had to be made.
struct FloatSample {
  std::vector<float> owned;
  VectorBlock block;
};

/// All rows when they lie ready; else copies of `most` of them, spread evenly.
FloatSample SampleRows(const FloatRows& rows, size_t most);

/// One query at a time, of the rows' element.
class QueryVector {
 public:
  QueryVector(uint32_t dim, model::Metric metric)
      : dim_(dim), is_cosine_(metric == model::Metric::kCosine) {}
  /// `queries` borrowed until the next call.
  void Set(const VectorBlock& queries, size_t i);
  /// As it came.
  const float* plain() const { return plain_; }
  /// Of length 1 for COSINE, else as it came.
  const float* unit() const { return unit_; }

 private:
  const uint32_t dim_;
  const bool is_cosine_;
  const float* plain_ = nullptr;
  const float* unit_ = nullptr;
  std::vector<float> decoded_;
  std::vector<float> normalised_;
};

}  // namespace elanus::index
