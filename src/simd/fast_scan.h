// Sums of 4-bit codes' table entries with the tables in registers (Andre, Kermarrec, Le Scouarnec
// 2015, "Cache locality is not enough: high-performance nearest neighbor search with product
// quantization fast scan").
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::simd {

inline constexpr size_t kFastScanRows = 32;
/// The largest entry: two fit a byte together.
inline constexpr uint8_t kFastScanEntryMax = 127;

/// Keys of a block of 32 rows: keys[r] = base + step * sum over s of table[s][code s of row r],
/// plus terms[r] unless `terms` is null. Bit r of the answer: keys[r] <= bound.
///   tables  parts x 16 bytes, kFastScanEntryMax at most; parts is a multiple of 4, and no sum may
///           pass 65535.
///   block   parts x 16 bytes: byte j of a part has the code of row j low and of row j + 16 high.
/// Any alignment. Thread-safe.
using FastScan = uint32_t (*)(const uint8_t* tables, const uint8_t* block, size_t parts, float base,
                              float step, const float* terms, float bound, float keys[32]);

/// The tables of one query before they become bytes: table[p][w] = sign * <query part p, word w of
/// book p>, less the part's smallest, for `parts` parts of `part_dim` dimensions. Books lie part by
/// part, dimension by dimension, 16 words each.
struct FastScanTables {
  float base;    // The sum of the smallest.
  float widest;  // The largest entry.
  float total;   // The sum of each part's largest.
};
FastScanTables MakeFastScanTables(const float* query, const float* books, size_t parts,
                                  size_t part_dim, float sign, float* table);

/// The tables as bytes: bytes[i] = table[i] / step to the nearest, kFastScanEntryMax at most.
/// Entries are not negative; `step` is at least 1e-30.
void RoundFastScanTables(const float* table, size_t parts, float step, uint8_t* bytes);

/// The fastest this machine runs.
FastScan BestFastScan();
/// Every one this machine runs, the slowest (plain loops) first; returns how many.
size_t AllFastScans(FastScan out[3]);

}  // namespace elanus::simd
