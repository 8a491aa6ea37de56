// The inner loops of sparse search: sums of a window of rows, chosen once for the machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::index {

/// Rows of a window. Its sums fill half a level-1 cache or all of it, and offsets fit 16 bits.
inline constexpr uint32_t kWindowRows = 16384;
inline constexpr uint32_t kWindowWords = kWindowRows / 64;

/// A chunk of postings that stand under bits. Rows of a word are not in the order of its bits, see
/// BitOfRow; codes are.
struct BitmapCodes {
  const uint64_t* bits;
  const uint8_t* codes;
  uint32_t weight;
};

/// The bit of row 0 .. 63 of a word: such that the two halves of each 16 bits, which is how wide
/// instructions take bytes apart, belong to rows 32 apart.
inline uint32_t BitOfRow(uint32_t row) { return (row >> 3 & 3) << 4 | (row >> 5) << 3 | (row & 7); }
inline uint32_t RowOfBit(uint32_t bit) { return (bit >> 4) << 3 | (bit >> 3 & 1) << 5 | (bit & 7); }

/// Sums are 16 bits wide and stop at 65535. A posting adds code * weight / 256, cut to an integer;
/// weights are below 65536. Reads up to 64 bytes past codes. Thread-safe.
struct SparseKernels {
  const char* name;
  /// Adds the postings of several bitmaps of a window.
  void (*add_bitmaps)(const BitmapCodes* terms, size_t count, uint16_t* sums);
  /// Adds the postings of rows `offsets`, ascending, to sums that cannot pass 65535.
  void (*add_list)(const uint16_t* offsets, const uint8_t* codes, size_t count, uint32_t weight,
                   uint16_t* sums);
  /// How many of kWindowRows sums are at least `bound`.
  size_t (*count_at_least)(const uint16_t* sums, uint16_t bound);
  /// Which of the first words * 64 sums are in [low, high) and, unless `allowed` is null, have
  /// their bit set in it. Returns how many.
  size_t (*pick)(const uint16_t* sums, size_t words, uint16_t low, uint32_t high,
                 const uint64_t* allowed, uint16_t* picked);
};

const SparseKernels& BestSparseKernels();
/// Plain loops.
const SparseKernels& PlainSparseKernels();

/// As add_list, but sums stop at 65535.
void AddListSaturating(const uint16_t* offsets, const uint8_t* codes, size_t count, uint32_t weight,
                       uint16_t* sums);

}  // namespace elanus::index
