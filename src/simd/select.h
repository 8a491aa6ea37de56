// Choosing the smallest of many keys without sorting them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Keys are float32 numbers without NaN, at any alignment. Thread-safe.
struct SelectKernels {
  /// The k-th smallest key, 1 <= k <= count.
  float (*kth)(const float* keys, size_t count, size_t k);
  /// A number that k keys at least are at most, and seldom many more; 1 <= k <= count. Costs one
  /// pass over the keys when k is small.
  float (*bound)(const float* keys, size_t count, size_t k);
  /// Positions of the keys that are at most `bound`, ascending; returns how many. `positions` has
  /// room for count.
  size_t (*positions)(const float* keys, size_t count, float bound, uint32_t* positions);
  /// Moves the keys that are at most `bound`, with their values, to the front, in order; returns
  /// how many. What follows them is lost.
  size_t (*keep)(float* keys, uint32_t* values, size_t count, float bound);
};

/// The fastest set this machine runs.
const SelectKernels& Select();

}  // namespace elanus::simd
