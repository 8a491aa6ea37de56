// Rounding vectors to signed bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

struct RoundedBytes {
  float scale;  // numbers[d] * scale ~ values[d] * weights[d]; 1 for zeros.
  int64_t sum;  // Of the numbers.
  float lost;   // The length of what rounding leaves over.
};

/// Rounds values[d] * weights[d] (null: ones) for d < dim to numbers of -127 .. 127, the largest to
/// the end of that range. Any alignment. Thread-safe.
RoundedBytes RoundToBytes(const float* values, const float* weights, size_t dim, int8_t* numbers);

}  // namespace elanus::simd
