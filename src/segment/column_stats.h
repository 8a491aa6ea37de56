// Least and greatest values of every block of a column, worked out when a filter first asks.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "model/block_stats.h"
#include "model/column.h"

namespace elanus::segment {

/// Of one immutable column, which need not stay open. Thread-safe. About a hundred bytes a block
/// once asked; finding them out reads the column once.
class ColumnStats {
 public:
  /// Of the kChunkRows rows from `begin`, a multiple of it below the column's rows. `column` is
  /// whole, and the same one each time.
  const model::BlockStats& At(const model::ColumnView& column, size_t begin) const;
  /// As At when they are known already, else null.
  const model::BlockStats* IfKnown(size_t begin) const;

 private:
  mutable std::once_flag once_;
  mutable std::atomic<bool> is_known_{false};
  mutable std::vector<model::BlockStats> blocks_;
  mutable std::deque<std::string> texts_;  // What the blocks refer to.
};

}  // namespace elanus::segment
