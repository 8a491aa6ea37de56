// Distances of a float32 query to rows of 16-bit floats (IEEE half and bfloat16), and the
// conversions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Rows are 16-bit patterns. Any dim >= 0 and any alignment; nothing past dim elements is read.
/// Thread-safe.
struct HalfKernels {
  using One = float (*)(const float* query, const uint16_t* row, size_t dim);
  /// One query against four rows at once.
  using Four = void (*)(const float* query, const uint16_t* const rows[4], size_t dim,
                        float out[4]);
  One l2, ip;
  Four l2_x4, ip_x4;
  /// The squared length of a row.
  float (*square)(const uint16_t* row, size_t dim);
  /// Rounds to nearest even; too large becomes infinity.
  void (*encode)(const float* from, size_t count, uint16_t* to);
  void (*decode)(const uint16_t* from, size_t count, float* to);
};

const HalfKernels& Float16Kernels();
const HalfKernels& BFloat16Kernels();

}  // namespace elanus::simd
