// Statistics of blocks.
#include "segment/column_stats.h"

#include <algorithm>

#include "segment/segment.h"

namespace elanus::segment {

const model::BlockStats& ColumnStats::At(size_t begin) const {
  std::call_once(once_, [&] {
    for (size_t at = 0; at < column_.rows; at += kChunkRows) {
      blocks_.push_back(model::StatsOf(column_.Slice(at, std::min(kChunkRows, column_.rows - at))));
    }
  });
  return blocks_[begin / kChunkRows];
}

}  // namespace elanus::segment
