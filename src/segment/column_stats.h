// Least and greatest values of every block of a column, worked out when a filter first asks.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "model/block_stats.h"
#include "model/column.h"

namespace elanus::segment {

/// Of one immutable column, which must outlive it. Thread-safe. About a hundred bytes a block once
/// asked; finding them out reads the column once.
class ColumnStats {
 public:
  explicit ColumnStats(const model::ColumnView& column) : column_(column) {}
  /// Of the kChunkRows rows from `begin`, a multiple of it below the column's rows.
  const model::BlockStats& At(size_t begin) const;

 private:
  const model::ColumnView column_;
  mutable std::once_flag once_;
  mutable std::vector<model::BlockStats> blocks_;
};

}  // namespace elanus::segment
