// Codes of 1 to 9 bits as planes of 8, 4, 2 or 1 bits, whose integer dot products the kernels have.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "simd/code_kernels.h"

namespace elanus::index {

/// The layout of one row and its dot product with a query of 8-bit numbers. Immutable.
class Planes {
 public:
  Planes(int bits, size_t dim);

  int bits() const { return bits_; }
  size_t row_bytes() const { return row_bytes_; }
  /// How many numbers a query has: dim, padded; the padding must be zero.
  size_t padded() const { return padded_; }

  /// The row's bytes must be zero before its first Set.
  void Set(uint8_t* row, size_t d, uint32_t code) const;
  uint32_t Get(const uint8_t* row, size_t d) const;
  /// sums[i] = sum over d of code d of rows[i] * query[d].
  void Dot(const int8_t* query, const uint8_t* const rows[4], int32_t sums[4]) const;
  /// The same of the rows at base + rows[i] * row_bytes, for codes of 1 bit.
  void DotRows(const int8_t* query, const uint8_t* base, size_t row_bytes, const uint32_t* rows,
               size_t count, int32_t* sums) const {
    simd::BestCodes().dot1_rows(query, base, row_bytes, rows, count, planes_[0].blocks, sums);
  }

 private:
  struct Plane {
    int bits = 0;
    int shift = 0;  // Of its bits within a code.
    size_t offset = 0;
    size_t blocks = 0;
    simd::CodeKernels::Four dot = nullptr;
  };
  const int bits_;
  size_t row_bytes_ = 0;
  size_t padded_ = 0;
  size_t count_ = 0;
  std::array<Plane, 4> planes_;
};

/// A query times `weights` (null: ones), rounded to 8 bits: value ~ scale * numbers[d].
struct RoundedQuery {
  std::vector<int8_t> numbers;
  float scale = 1;
  int64_t sum = 0;  // Of the numbers.

  explicit RoundedQuery(size_t padded) : numbers(padded, 0) {}
  void Round(const float* query, const float* weights, size_t dim);
};

}  // namespace elanus::index
