// The primary keys of a growing segment in order: a page of rows behind a key begins at that key
// instead of looking at every row.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "segment/primary_keys.h"
#include "segment/segment.h"

namespace elanus::segment {

/// Each whole chunk of kChunkRows is sorted by itself, when pages are read; 4 bytes a row, nothing
/// where the rows came in key order. Chunks are never merged: of n of them a page of k rows visits
/// k rows and n binary searches. Thread-safe.
class GrowingKeys {
 public:
  /// As SegmentView::KeyRuns, of a view of the segment that this belongs to. Sorts a few chunks
  /// more, so that no page pays for all of them; the last, unfinished one has no order. The view
  /// must outlive the runs.
  std::vector<KeyRun> RunsOf(const SegmentView& view);
  size_t memory_bytes() const;

 private:
  void SortSome(const SegmentView& view);

  mutable std::mutex mutex_;  // Guards the orders; held while their addresses are copied only.
  std::mutex sorting_mutex_;  // Held by the one who sorts; taken before mutex_.
  std::vector<std::unique_ptr<const PrimaryKeys>> orders_;  // Of the first chunks.
};

}  // namespace elanus::segment
