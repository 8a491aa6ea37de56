// Distance kernels on float32 rows, chosen once for the machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Functions take any dim >= 0 and any alignment and read nothing past dim elements of a row.
/// Thread-safe.
struct Kernels {
  const char* name;  // Of the instruction set.
  /// Sum of squared differences; dot product.
  float (*l2)(const float* a, const float* b, size_t dim);
  float (*ip)(const float* a, const float* b, size_t dim);
  /// One query against four rows at once: the shape of a graph walk.
  void (*l2_x4)(const float* query, const float* const rows[4], size_t dim, float out[4]);
  void (*ip_x4)(const float* query, const float* const rows[4], size_t dim, float out[4]);
  /// `query_count` (1..4) queries against `rows` rows that follow one another: out[q * out_stride +
  /// r]. A row is read once for all queries, which is what bounds an exact scan.
  void (*l2_block)(const float* queries, size_t query_count, const float* rows, size_t row_count,
                   size_t dim, float* out, size_t out_stride);
  void (*ip_block)(const float* queries, size_t query_count, const float* rows, size_t row_count,
                   size_t dim, float* out, size_t out_stride);
};

/// The fastest set this machine runs.
const Kernels& Best();
/// Plain loops in double precision; what the others are held against.
const Kernels& Reference();

}  // namespace elanus::simd
