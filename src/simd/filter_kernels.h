// Tests of many values at once, which filters over columns are made of, chosen once for the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Bit i of `bits` (ceil(count / 64) words, all written) is low <= values[i] && values[i] <= high.
/// NaN lies in no range. Any alignment and count.
template <class T>
using RangeBits = void (*)(const T* values, size_t count, T low, T high, uint64_t* bits);

/// Thread-safe; reads nothing past the counts given.
struct FilterKernels {
  RangeBits<int8_t> range_i8;
  RangeBits<int16_t> range_i16;
  RangeBits<int32_t> range_i32;
  RangeBits<int64_t> range_i64;
  RangeBits<float> range_f32;
  RangeBits<double> range_f64;
  /// Where `word`, of 1 or more bytes, first stands in `text`, or SIZE_MAX.
  size_t (*find)(const char* text, size_t text_bytes, const char* word, size_t word_bytes);
};

const FilterKernels& Filters();

template <class T>
RangeBits<T> RangeKernel() {
  if constexpr (sizeof(T) == 1) {
    return Filters().range_i8;
  } else if constexpr (sizeof(T) == 2) {
    return Filters().range_i16;
  } else if constexpr (T(0.5) != T(0)) {
    if constexpr (sizeof(T) == 4)
      return Filters().range_f32;
    else
      return Filters().range_f64;
  } else if constexpr (sizeof(T) == 4) {
    return Filters().range_i32;
  } else {
    return Filters().range_i64;
  }
}

}  // namespace elanus::simd
