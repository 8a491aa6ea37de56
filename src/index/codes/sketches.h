// A bit a dimension of every row, beside better codes: what rules most rows out of an exact scan
// before their codes are read.
//
// RaBitQ (Gao and Long 2024, arXiv:2405.12497) of what each row leaves over from the mean of all.
// Its estimate of a key has a known standard deviation, so that a row whose least possible key is
// above the bound of a search can be passed over. Rows lie in the order of the segment, so that the
// rows that a filter allows are met in ascending places.
#pragma once

#include <memory>
#include <vector>

#include "base/prefetch.h"
#include "index/codes/codec.h"

namespace elanus::index {

/// Bytes: the centre (dim float32), then the rows' codes, each padded to 64 bytes, then for L2 a
/// term a row (float32).
struct SketchLayout {
  size_t codes = 0;
  size_t terms = 0;
  size_t end = 0;
  SketchLayout(size_t rows, uint32_t dim, bool is_l2);
};

/// Sketches of all rows (of length 1 for COSINE); empty where they would rule out too few of
/// them: measured on a sample. Cancellable through ctx; on the pool when there is one.
Result<std::vector<char>> MakeSketches(Context& ctx, const FloatRows& rows, bool is_l2, Pool* pool);

/// Opened sketches. Immutable, thread-safe; borrows the bytes.
class Sketches {
 public:
  /// `bytes`: SketchLayout's; every content is a valid one.
  Sketches(const char* bytes, size_t rows, uint32_t dim, bool is_l2);

  /// Scores rows of the segment by the least keys they are likely to have: of a hundred rows fewer
  /// than one has a smaller key. Queries of length 1 for COSINE. Borrows this.
  std::unique_ptr<Scorer> NewScorer() const;
  void Prefetch(uint32_t row) const {
    PrefetchBytes(rows_.codes + size_t{row} * row_bytes_, row_bytes_);
  }

 private:
  const std::unique_ptr<Codec> codec_;
  const size_t row_bytes_;
  const float* centre_;
  PackedRows rows_;
};

}  // namespace elanus::index
