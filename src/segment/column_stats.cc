// Statistics of blocks.
#include "segment/column_stats.h"

#include "segment/segment.h"

namespace elanus::segment {

static_assert(store::kRangeRows == kChunkRows, "a range of a file is one of a batch of a filter");

void ColumnStats::Learn(std::vector<store::ColumnRange> ranges) const {
  std::call_once(once_, [&] {
    ranges_ = std::move(ranges);
    for (const store::ColumnRange& range : ranges_) blocks_.push_back(range.stats());
    is_known_.store(true, std::memory_order_release);
  });
}

void ColumnStats::WorkOut(const model::ColumnView& column) const {
  if (is_known_.load(std::memory_order_acquire)) return;
  store::RangesOfBlocks ranges;
  ranges.Add(column);
  Learn(ranges.Finish());
}

const model::BlockStats* ColumnStats::At(size_t begin) const {
  return is_known_.load(std::memory_order_acquire) ? &blocks_[begin / kChunkRows] : nullptr;
}

}  // namespace elanus::segment
