// Row-at-a-time search of one window: Block-Max WAND with the window as the block (Ding, Suel:
// Faster Top-k Document Retrieval Using Block-Max Indexes, SIGIR 2011).
#pragma once

#include <functional>
#include <vector>

#include "index/sparse/window.h"

namespace elanus::index {

/// A place in one chunk. Offsets ascend; kWindowRows is past the last.
class ChunkCursor {
 public:
  explicit ChunkCursor(const QueryTerm& term)
      : chunk_(&term.chunk()), weight_(term.ChunkWeight()), bound_(255 * weight_ >> 8) {
    Seek(0);
  }
  uint32_t offset() const { return offset_; }
  uint32_t bound() const { return bound_; }
  /// What the posting adds to the row's sum.
  uint32_t part() const { return chunk_->codes()[place_] * weight_ >> 8; }
  /// Moves to the first posting at or after `offset`.
  void Seek(uint32_t offset);

 private:
  const ChunkHead* chunk_;
  uint32_t weight_;
  uint32_t bound_;
  uint32_t offset_ = 0;
  uint32_t place_ = 0;  // Of the posting among the chunk's.
  uint32_t word_ = 0;   // Of a bitmap: where offset_ is, and the postings before that word.
  uint32_t before_ = 0;
};

/// Calls `score(offset)` for each row of the window whose sum is at least the needed one, which
/// `score` returns anew. `cursors` is used up.
void WandWindow(std::vector<ChunkCursor>& cursors, uint32_t needed,
                const std::function<uint32_t(uint32_t)>& score);

}  // namespace elanus::index
