// One query's terms as a search walks them, window by window, and what bounds say about a row.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "index/sparse/postings.h"

namespace elanus::index {

/// A term of the query. Its chunk is in the current window or a later one.
struct QueryTerm {
  const char* at;   // The chunk,
  const char* end;  // and where the term's chunks end.
  double weight;    // That of a chunk of scale 1.

  const ChunkHead& chunk() const { return *reinterpret_cast<const ChunkHead*>(at); }
  // Beyond it only when the file failed under its mapping: what was a chunk reads as zeros then.
  bool done() const { return at >= end; }
  void Next() { at += ChunkBytes(chunk().count(), chunk().is_bitmap != 0); }
  /// A posting of this chunk adds code * weight / 256 to the row's sum.
  uint32_t ChunkWeight() const {
    const double exact = std::ceil(weight * chunk().scale);
    return static_cast<uint32_t>(std::clamp(exact, double{kWeightMin}, 65535.0));
  }
};

/// Translates between scores and sums. Invariant: score * scale <= sum + terms for each row, where
/// sum is over all terms (or 65535), since codes are rounded up and each product is cut by less
/// than one.
struct SumScale {
  double scale = 0;
  double shrink = 1;  // dim_max_score_ratio where it is below 1: what bounds are cut to.
  uint32_t terms = 0;
  bool saturates = false;  // Sums may stop at 65535, which then says nothing.

  /// The sum a row needs to reach `score`; at least 1, since a row without a posting is no hit.
  uint32_t Needed(double score) const {
    const double sum = std::ceil(score * (1 - 1e-6) * scale / shrink) - terms;
    return static_cast<uint32_t>(std::clamp(sum, 1.0, 65535.0));
  }
};

}  // namespace elanus::index
