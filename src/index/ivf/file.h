// The file of an index of inverted lists: what Build writes and Open checks.
//
// Framed "ELIVF002": 32 zero bytes; the header; then, each padded to 64 bytes: centroids (lists x
// dim float32), list bounds (lists + 1 u64), row numbers (u32, place by place), the codec's
// parameters, codes, terms (float32, where the codec has them); refine parameters, refine codes,
// refine terms; where rows stand in two lists, for each row the number of the first and of the
// second (u16). Codes stand list by list, in each those of the rows that are in it first before the
// others. With refine kind kFloat32 nothing is kept: the segment's own vectors refine. A search
// reads all of it in place.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/blob.h"
#include "index/codes/codec.h"

namespace elanus::index {

struct IvfHeader {
  uint64_t rows, lists, dim;
  uint64_t places;    // Rows and what pads lists.
  uint64_t residual;  // Bits: which codes are of what a row leaves over from its centroid.
  uint64_t code_kind, code_params, code_bytes, code_terms;  // Kind; bytes; bytes a row; 0 or 1.
  uint64_t refine_kind, refine_params, refine_bytes, refine_terms;
  uint64_t element;  // An ElementType.
  uint64_t spilled;  // 1: each row stands in two lists. (Older files have a zero here.)
};

/// Bits of IvfHeader::residual. (Older files refine by codes of rows as they are.)
inline constexpr uint64_t kResidualCodes = 1;
inline constexpr uint64_t kResidualRefineCodes = 2;

struct IvfLayout {
  size_t centroids, bounds, numbers, code_params, codes, terms;
  size_t refine_params, refine_codes, refine_terms, homes, seconds, end;
  explicit IvfLayout(const IvfHeader& header);
};

/// How the rows are kept. `refine`: null for none and for the segment's own vectors.
struct IvfCodes {
  std::unique_ptr<Codec> codec;
  bool residual = false;
  CodeKind refine_kind = CodeKind::kNone;
  std::unique_ptr<Codec> refine;
  bool refines_residuals = false;
};

/// Rows in lists: what training has found.
struct Lists {
  std::vector<float> centroids;   // lists x dim
  std::vector<uint32_t> nearest;  // Of each row.
  std::vector<uint32_t> second;   // Of each row: another list it stands in. Empty: none does.
};

/// k-means of `rows` (normalised for COSINE) into at most `lists` lists, and the list of each row.
/// Reports progress up to `progress_end`.
Result<Lists> TrainLists(Context& ctx, const FloatRows& rows, size_t lists,
                         const BuildOptions& options, double progress_end);

/// The file's bytes. `rows`: COSINE rows not normalised.
Result<std::string> WriteIvf(Context& ctx, VectorBlock rows, model::Metric metric,
                             const Lists& lists, const IvfCodes& codes, Pool* pool);

/// What opening makes beside the file: for each row, and for each so many places.
inline constexpr size_t kOpenedRowBytes = sizeof(uint32_t);
inline constexpr size_t kPlacesPerMark = 64;

struct OpenedIvf {
  IvfHeader header;
  IvfCodes codes;
  Blob file;
  const float* centroids = nullptr;
  const uint64_t* bounds = nullptr;
  const uint32_t* numbers = nullptr;  // Of each place.
  std::vector<uint32_t> list_rows;    // Rows of each list, without what pads it,
  std::vector<uint32_t> own_rows;     // those of them that stand in it first, which come first.
  std::vector<uint32_t> place_of;     // Of each row the place in its first list.
  std::vector<uint16_t> list_marks;   // Of each kPlacesPerMark-th place the list it is in.
  const uint16_t* homes = nullptr;    // Of each row its first list, null where there is but one,
  const uint16_t* seconds = nullptr;  // and its second one.
  PackedRows packed;
  PackedRows refine;

  /// The list that a place is in; some list where the file has failed and reads as zeros.
  uint32_t ListOf(uint32_t place) const {
    uint32_t list = list_marks[place / kPlacesPerMark];
    while (list + 1 < header.lists && bounds[list + 1] <= place) ++list;
    return list;
  }
  /// Of the heap, the file's own bytes apart.
  size_t memory_bytes() const {
    return place_of.size() * kOpenedRowBytes + list_marks.size() * sizeof(uint16_t);
  }
};

/// kIntegrity when the file is damaged, or of other rows or another metric.
Result<OpenedIvf> OpenIvf(Blob file, VectorBlock rows, model::Metric metric);

}  // namespace elanus::index
