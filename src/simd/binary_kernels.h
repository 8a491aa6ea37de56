// Counting bits: how many differ between rows of bits, and how many are set; chosen once for the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// Exact for rows of up to 2^28 bytes, any alignment; nothing past `bytes` is read. Thread-safe.
/// The Jaccard distance follows from the same count: of sets with x and y members of which d are
/// in one alone, the union has (x + y + d) / 2.
struct BinaryKernels {
  using One = uint32_t (*)(const uint8_t* a, const uint8_t* b, size_t bytes);
  /// Four rows at once: the shape of a graph walk.
  using Four = void (*)(const uint8_t* query, const uint8_t* const rows[4], size_t bytes,
                        uint32_t out[4]);
  /// `count` rows that lie one after the other: the shape of a scan.
  using Rows = void (*)(const uint8_t* query, const uint8_t* rows, size_t count, size_t bytes,
                        uint32_t* out);
  const char* name;  // Of the instruction set.
  One differ;
  Four differ_x4;
  Rows differ_rows;
  uint32_t (*ones)(const uint8_t* row, size_t bytes);
};

/// The fastest set this machine runs.
const BinaryKernels& BestBinary();
/// Every set this machine can run, the slowest first; returns how many.
size_t AllBinary(const BinaryKernels* out[4]);

}  // namespace elanus::simd
