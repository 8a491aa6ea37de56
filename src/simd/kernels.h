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
  /// r]. Rows are read once for all queries and queries once for two rows: both are what bounds a
  /// scan.
  void (*l2_block)(const float* queries, size_t query_count, const float* rows, size_t row_count,
                   size_t dim, float* out, size_t out_stride);
  void (*ip_block)(const float* queries, size_t query_count, const float* rows, size_t row_count,
                   size_t dim, float* out, size_t out_stride);
  /// out[c] = sum over d of vector[d] * columns[d * stride + c] for c < count: a short vector
  /// against many, which lie dimension by dimension. The shape of codebooks.
  void (*ip_columns)(const float* vector, size_t dim, const float* columns, size_t stride,
                     size_t count, float* out);
  /// Where a[i] - b[i] is smallest, the first of equal ones; and that difference. With half the
  /// squared norms of centroids and their inner products with a vector: the nearest centroid.
  /// count >= 1; no NaN.
  size_t (*arg_min_difference)(const float* a, const float* b, size_t count, float* least);
};

/// The fastest set this machine runs.
const Kernels& Best();
/// Plain loops in double precision; what the others are held against.
const Kernels& Reference();

}  // namespace elanus::simd
