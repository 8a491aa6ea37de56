// Distances between the float32 rows of one metric, as building a graph takes them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "simd/kernels.h"

namespace elanus::index {

/// Keys to sort by: L2 distance, or the negated inner product. Smaller is nearer.
class Distance {
 public:
  explicit Distance(bool is_l2, uint32_t dim) : is_l2_(is_l2), dim_(dim) {}
  float One(const float* a, const float* b) const {
    return is_l2_ ? kernels_.l2(a, b, dim_) : -kernels_.ip(a, b, dim_);
  }
  void Four(const float* query, const float* const rows[4], float out[4]) const {
    if (is_l2_) {
      kernels_.l2_x4(query, rows, dim_, out);
      return;
    }
    kernels_.ip_x4(query, rows, dim_, out);
    for (int i = 0; i < 4; ++i) out[i] = -out[i];
  }

 private:
  const simd::Kernels& kernels_ = simd::Best();
  const bool is_l2_;
  const uint32_t dim_;
};

inline void PrefetchVector(const float* vector, uint32_t dim) {
  const char* at = reinterpret_cast<const char*>(vector);
  const size_t bytes = std::min<size_t>(size_t{dim} * sizeof(float), 512);
  for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i);
}

}  // namespace elanus::index
