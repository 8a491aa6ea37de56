// The allowed rows in the cells nearest to a query.
#pragma once

#include <algorithm>
#include <vector>

#include "base/bitset.h"
#include "index/cells/cells.h"

namespace elanus::index {

/// How many rows of the nearest cells are enough: at least and at most so many; between them three
/// times as many as had been met when the last of the best rows came.
class CellRows {
 public:
  CellRows(size_t least, size_t most)
      : least_(least), most_(std::max(least, most)), wanted_(least) {}
  bool IsEnough() const { return met_ >= wanted_; }
  /// After `count` more; `is_nearer`: some of them are among the best.
  void Add(size_t count, bool is_nearer) {
    met_ += count;
    if (is_nearer) wanted_ = std::clamp(kMore * met_, least_, most_);
  }

 private:
  static constexpr size_t kMore = 3;
  const size_t least_, most_;
  size_t wanted_;
  size_t met_ = 0;
};

/// Of one call, for its queries one after the other; for one thread. Numbers are those of rows put
/// cell by cell.
class AllowedCells {
 public:
  /// All borrowed. `rows`: the row of each number. `count`: bits set in `allowed`, by rows.
  AllowedCells(const Cells& cells, const uint32_t* rows, BitsetView allowed, size_t count);

  /// Orders the cells for a query, of length 1 for COSINE; borrowed.
  void Begin(const float* query);
  /// Replaces `numbers` with the allowed ones of the next cell that has some; false: no more cells.
  bool Next(std::vector<uint32_t>& numbers);

 private:
  bool MayHoldAllowed(uint32_t cell) const;

  const Cells& cells_;
  const uint32_t* rows_;
  const BitsetView allowed_;
  const size_t sample_;  // Rows of a far cell that tell whether it is worth looking at the others.
  ListOrder order_;
  size_t next_ = 0;    // Place in the order.
  size_t looked_ = 0;  // Rows looked at.
};

}  // namespace elanus::index
