// Keys of many rows of bytes from integer dot products with a few vectors, chosen once for the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Rows of bytes stand side by side in panels of 16, four dimensions at a time, so that a sum of
/// products needs no adding across a register, a panel stays in the first cache for all vectors,
/// and few rows can be met.
inline constexpr size_t kBytePanelRows = 16;
/// The bytes of a panel: dimensions are padded to a multiple of four.
constexpr size_t BytePanelSize(size_t dim) { return (dim + 3) / 4 * 4 * kBytePanelRows; }
/// Where dimension d of row r of a panel lies.
constexpr size_t BytePanelPlace(size_t r, size_t d) {
  return d / 4 * 4 * kBytePanelRows + r * 4 + d % 4;
}

/// `count` vectors of `width` signed bytes, a multiple of four, one after the other,
/// against the rows of `panels` panels, whose codes are `code_max` at most: keys[v * keys_stride +
/// r] = terms[r] + factors[v] * (the sum over d of vector v's number d * code d of row r). Sums are
/// exact up to width 65536. Any alignment. A panel is read from memory once for all vectors.
/// Thread-safe.
struct BytePanels {
  using Keys = void (*)(const int8_t* vectors, size_t count, size_t width, const float* factors,
                        const uint8_t* rows, size_t panels, const float* terms, float* keys,
                        size_t keys_stride);
  Keys keys = nullptr;
  /// 255, or 127 where the machine adds pairs of products in 16 bits.
  uint8_t code_max = 255;
};

/// The fastest this machine runs.
BytePanels BestBytePanels();
/// Every one this machine runs, the slowest (plain loops) first; returns how many.
size_t AllBytePanels(BytePanels out[3]);

}  // namespace elanus::simd
