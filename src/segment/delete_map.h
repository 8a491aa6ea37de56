// Which rows of an immutable set are deleted, and since when.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bitset.h"
#include "base/timestamp.h"
#include "segment/segment.h"

namespace elanus::segment {

/// Moments by row, in chunks, and bits for readers that see all deletes. Published maps are
/// immutable: a change is made of a copy, which shares the chunks that it does not touch, so it
/// costs what it changes and a bit a row. 8 bytes a row in chunks with a deleted one, else none.
class DeleteMap {
 public:
  explicit DeleteMap(size_t rows) : chunks_((rows + kChunkRows - 1) / kChunkRows) {
    alive_ = std::make_shared<Bitset>(rows, true);
  }

  /// 0: alive.
  uint64_t DeletedAt(size_t row) const {
    const std::shared_ptr<Chunk>& chunk = chunks_[row / kChunkRows];
    return chunk == nullptr ? 0 : (*chunk)[row % kChunkRows];
  }
  const std::shared_ptr<const Bitset>& alive() const { return alive_; }
  /// Calls fn(row) for each row that is deleted, but not yet at `moment`.
  template <class Fn>
  void ForEachDeletedAfter(uint64_t moment, Fn fn) const {
    for (size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      if (chunks_[chunk] == nullptr) continue;
      for (size_t i = 0; i < kChunkRows; ++i) {
        if ((*chunks_[chunk])[i] > moment) fn(chunk * kChunkRows + i);
      }
    }
  }
  /// The newest delete that hides a row.
  Timestamp newest() const { return newest_; }

 private:
  friend class DeleteMapChange;
  using Chunk = std::array<uint64_t, kChunkRows>;

  std::vector<std::shared_ptr<Chunk>> chunks_;  // Null: all alive.
  std::shared_ptr<const Bitset> alive_;
  Timestamp newest_;
};

/// The next map, made beside the one that readers have. For one thread.
class DeleteMapChange {
 public:
  /// `old` may be null: nothing was deleted; it must live as long as the change.
  DeleteMapChange(const DeleteMap* old, size_t rows) : old_(old), rows_(rows) {}

  /// The row is deleted since `timestamp`, unless it was before.
  void Delete(size_t row, uint64_t timestamp);
  /// The map with all of it; null when nothing changed. Ends the change.
  std::shared_ptr<const DeleteMap> Finish() &&;

 private:
  void Begin();
  DeleteMap::Chunk& OwnChunk(size_t index);

  const DeleteMap* const old_;
  const size_t rows_;
  std::shared_ptr<DeleteMap> next_;  // Null: nothing has changed so far.
  std::shared_ptr<Bitset> alive_;    // Of `next_`.
  std::vector<bool> is_own_;         // The chunks that are no longer those of `old`.
};

}  // namespace elanus::segment
