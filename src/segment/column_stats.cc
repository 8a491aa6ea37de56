// Statistics of blocks.
#include "segment/column_stats.h"

#include <algorithm>

#include "segment/segment.h"

namespace elanus::segment {

const model::BlockStats& ColumnStats::At(const model::ColumnView& column, size_t begin) const {
  std::call_once(once_, [&] {
    for (size_t at = 0; at < column.rows; at += kChunkRows) {
      model::BlockStats stats =
          model::StatsOf(column.Slice(at, std::min(kChunkRows, column.rows - at)));
      stats.text_min = texts_.emplace_back(stats.text_min);
      stats.text_max = texts_.emplace_back(stats.text_max);
      blocks_.push_back(stats);
    }
    is_known_.store(true, std::memory_order_release);
  });
  return blocks_[begin / kChunkRows];
}

const model::BlockStats* ColumnStats::IfKnown(size_t begin) const {
  return is_known_.load(std::memory_order_acquire) ? &blocks_[begin / kChunkRows] : nullptr;
}

}  // namespace elanus::segment
