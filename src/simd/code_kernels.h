// Dot products of a quantised query with rows of 8-, 4-, 2- and 1-bit codes, chosen once for the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

/// A row is whole blocks of dimensions; what pads the last one is zero in row and query. Block
/// sizes and layouts, for dimension d of a block:
///   8 bits  16 dimensions in 16 bytes: byte d.
///   4 bits  128 dimensions in 64 bytes: byte d % 64, the low half for d < 64, else the high half.
///   2 bits  128 dimensions in 32 bytes: byte d % 32, bits 2 * (d / 32) and the one above.
///   1 bit   64 dimensions in 8 bytes: bit d % 8 of byte d / 8.
constexpr size_t CodeBlock(int bits) { return bits == 8 ? 16 : bits == 1 ? 64 : 128; }

/// The number of blocks a vector of `dim` takes.
constexpr size_t CodeBlocks(size_t dim, int bits) {
  return (dim + CodeBlock(bits) - 1) / CodeBlock(bits);
}

/// Exact integer sums of code * query: below 2^31 up to dim 65536. `query` has a number for each
/// dimension of the blocks. Any alignment; nothing past the blocks is read. Thread-safe.
struct CodeKernels {
  using One = int32_t (*)(const int8_t* query, const uint8_t* row, size_t blocks);
  /// Four rows at once: the shape of a graph walk.
  using Four = void (*)(const int8_t* query, const uint8_t* const rows[4], size_t blocks,
                        int32_t out[4]);
  /// sums[i] of the row at base + rows[i] * row_bytes: the shape of a scan of chosen rows.
  using Rows = void (*)(const int8_t* query, const uint8_t* base, size_t row_bytes,
                        const uint32_t* rows, size_t count, size_t blocks, int32_t* sums);
  const char* name;  // Of the instruction set.
  One dot8;
  Four dot8_x4;
  One dot4;
  Four dot4_x4;
  One dot2;
  Four dot2_x4;
  One dot1;
  Four dot1_x4;
  Rows dot1_rows;
};

/// The fastest set this machine runs.
const CodeKernels& BestCodes();
/// Every set this machine can run, the slowest (plain loops) first; returns how many.
size_t AllCodes(const CodeKernels* out[4]);

}  // namespace elanus::simd
