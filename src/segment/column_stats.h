// Least and greatest values of every block of a column: as its file says, else worked out when a
// filter first asks.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "model/block_stats.h"
#include "model/column.h"
#include "store/formats/column_ranges.h"

namespace elanus::segment {

/// Of one immutable column, which need not stay open. Thread-safe. About two hundred bytes a block
/// once known.
class ColumnStats {
 public:
  /// Takes what the file says of its blocks, one range each; nothing when that is known already.
  void Learn(std::vector<store::ColumnRange> ranges) const;
  /// Reads the column, which is whole, and works them out, unless they are known.
  void WorkOut(const model::ColumnView& column) const;
  /// Of the kChunkRows rows from `begin`, a multiple of it below the column's rows; null when
  /// nothing is known yet.
  const model::BlockStats* At(size_t begin) const;

 private:
  mutable std::once_flag once_;
  mutable std::atomic<bool> is_known_{false};
  mutable std::vector<store::ColumnRange> ranges_;
  mutable std::vector<model::BlockStats> blocks_;  // The same; texts refer to `ranges_`.
};

}  // namespace elanus::segment
