// A random rotation that costs n log n: rounds of random signs and Walsh-Hadamard transforms, and a
// Kac step where the dimension is no power of two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus::index {

/// Keeps lengths and inner products. The same for the same dimension, so nothing need be stored.
/// Immutable.
class Rotation {
 public:
  explicit Rotation(size_t dim);
  void Apply(const float* from, float* to) const;

 private:
  const size_t dim_;
  size_t power_ = 1;  // The largest power of two that fits.
  std::vector<float> signs_;
};

}  // namespace elanus::index
