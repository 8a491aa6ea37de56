// The file of a sparse index: what Build writes, Open checks and a search reads in place.
//
// Framed "ELSPI001": 32 zero bytes; the header; then, each padded to 64 bytes: dimensions of the
// terms (ascending u32), steps (float32), starts (terms + 1 u64 places in the chunks), chunks, 64
// zero bytes that kernels may read. A term's postings are one chunk for each window of kWindowRows
// rows that has any, windows ascending, each chunk padded to 8 bytes:
//
//   u32 window; u16 count - 1; u8 kind; u8 scale, 1 .. 255
//   kind 0: count u16 offsets in the window, ascending; codes in this order
//   kind 1: kWindowWords u64 of bits, rows in them as BitOfRow says; codes in the order of bits
//   count u8 codes, kCodeMin .. 255
//
// code / 255 * scale * step is at least the value of the posting (IP) or its BM25 factor with the
// header's k1, b and avgdl, so sums over codes are upper bounds of scores; the segment's raw rows
// have the rest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/sparse/kernels.h"
#include "index/sparse/sparse_block.h"
#include "index/vector_index.h"

namespace elanus::index {

enum class SparseAlgorithm : uint8_t { kTaatNaive, kDaatWand, kDaatMaxScore };

/// That of search_algo, if it names one.
std::optional<SparseAlgorithm> SearchAlgorithm(const Params& search);

/// The saturation of BM25: what a row's term counts for beside its weight.
struct Bm25 {
  double k1 = 1.2;
  double b = 0.75;
  double avgdl = 100;
  double Factor(double count, double length) const {
    return count * (k1 + 1) / (count + k1 * (1 - b + b * length / avgdl));
  }
};

struct SparseHeader {
  uint64_t rows, non_zeros;  // Of the raw rows.
  uint64_t terms, chunk_bytes;
  uint64_t metric, algorithm;
  Bm25 bm25;                      // BM25 only, as what follows: what all rows keep to.
  double count_min, count_max;    // Values that are not 0.
  double length_min, length_max;  // Of rows that are not empty.
};

struct SparseLayout {
  size_t dims, steps, starts, chunks, end;
  explicit SparseLayout(const SparseHeader& header);
};

inline constexpr std::string_view kSparseMagic = "ELSPI001";
inline constexpr uint32_t kSparseVersion = 1;
inline constexpr size_t kSparseLead = 32;  // With the frame's 32 bytes the content is aligned.
inline constexpr size_t kChunksPad = 64;
/// Postings of a window from which on a bitmap is not larger than offsets, nor slower.
inline constexpr uint32_t kBitmapPostings = kWindowRows / 16;

/// No smaller codes, so that one times a small weight still counts.
inline constexpr uint32_t kCodeMin = 8;
inline constexpr uint32_t kWeightMin = 256 / kCodeMin;

struct ChunkHead {
  uint32_t window;
  uint16_t count_less_one;
  uint8_t is_bitmap;
  uint8_t scale;

  uint32_t count() const { return uint32_t{count_less_one} + 1; }
  const char* body() const { return reinterpret_cast<const char*>(this + 1); }
  const uint16_t* offsets() const { return reinterpret_cast<const uint16_t*>(body()); }
  const uint64_t* bits() const { return reinterpret_cast<const uint64_t*>(body()); }
  const uint8_t* codes() const {
    return reinterpret_cast<const uint8_t*>(body()) +
           (is_bitmap != 0 ? size_t{kWindowWords} * 8 : size_t{count()} * 2);
  }
};

/// Bytes of a chunk, with what pads it.
inline size_t ChunkBytes(uint32_t count, bool is_bitmap) {
  const size_t places = is_bitmap ? size_t{kWindowWords} * 8 : size_t{count} * 2;
  return (sizeof(ChunkHead) + places + count + 7) / 8 * 8;
}

struct OpenedSparse {
  SparseHeader header;
  Blob file;
  const uint32_t* dims = nullptr;
  const float* steps = nullptr;
  const uint64_t* starts = nullptr;
  const char* chunks = nullptr;
};

/// The file's bytes. `bm25.avgdl` 0: the mean length of the rows.
Result<std::string> WriteSparse(Context& ctx, const SparseBlock& rows, model::Metric metric,
                                SparseAlgorithm algorithm, Bm25 bm25, const BuildOptions& options);

/// kIntegrity when the file is damaged, or of other rows or another metric.
Result<OpenedSparse> OpenSparse(Blob file, const SparseBlock& rows, model::Metric metric);

std::unique_ptr<VectorIndex> MakeSparseIndex(OpenedSparse opened, const SparseBlock& rows,
                                             bool keeps_bm25);

}  // namespace elanus::index
