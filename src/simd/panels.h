// Inner products of many vectors with many rows, the shape of a matrix product, chosen once for the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Rows of a panel.
inline constexpr size_t kPanelRows = 64;

/// Rows stand side by side in panels of kPanelRows, in an order of the set's own: a sum then needs
/// no adding across a register, and a number that is read is used for several sums. Any alignment;
/// nothing past what is named is read. Thread-safe.
struct PanelKernels {
  /// The most vectors that `products` takes at once: as many as it is fastest with.
  static constexpr size_t kVectors = 6;

  /// Makes a panel of `count` rows (at most kPanelRows) that lie one after the other; zeros in the
  /// place of the others. Writes dim * kPanelRows numbers.
  void (*pack)(const float* rows, size_t count, size_t dim, float* panel);
  /// out[v * kPanelRows + r] = the inner product of vector v with row r, for `count` (1..kVectors)
  /// vectors that lie one after the other and all rows of a panel.
  void (*products)(const float* vectors, size_t count, size_t dim, const float* panel, float* out);
  /// Bit r: terms[r] + scales[r] * products[r] is not above `limit` (NaN is not), for kPanelRows
  /// rows.
  uint64_t (*not_above)(const float* products, const float* scales, const float* terms,
                        float limit);
};

/// The fastest set this machine runs.
const PanelKernels& Panels();

}  // namespace elanus::simd
