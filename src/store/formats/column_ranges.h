// What a column file and a manifest say of values without the values: nulls, least and greatest, of
// a whole column and of every block of rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/block_stats.h"

namespace elanus::store {

/// What a column's values lie between; as model::BlockStats, with texts of its own.
struct ColumnRange {
  uint64_t nulls = 0;
  bool has_range = false;
  bool has_nan = false;
  int64_t int_min = 0;
  int64_t int_max = 0;
  double real_min = 0;
  double real_max = 0;
  std::string text_min;
  std::string text_max;
  std::optional<model::Box> box;  // Of Geometry.

  /// Copies the texts; very long ones leave no range.
  static ColumnRange Of(const model::BlockStats& stats);
  /// Refers to the texts.
  model::BlockStats stats() const;

  template <class V>
  void Fields(V& v) {
    v(1, "nulls", nulls);
    v(2, "has_range", has_range);
    v(3, "has_nan", has_nan);
    v(4, "int_min", int_min);
    v(5, "int_max", int_max);
    v(6, "real_min", real_min);
    v(7, "real_max", real_max);
    v(8, "text_min", text_min);
    v(9, "text_max", text_max);
    v(10, "box", box);
  }
};

/// Rows of a block, the last of a column aside.
inline constexpr uint64_t kRangeRows = 8192;

/// Brings ranges of parts together; copies the least and the greatest text. For one thread.
class RangeOfParts {
 public:
  void Add(const model::BlockStats& part);
  /// Of all parts so far. Borrows the texts.
  model::BlockStats stats() const;

 private:
  model::BlockStats stats_;
  bool is_empty_ = true;
  std::string text_min_;
  std::string text_max_;
};

/// Takes a column slice by slice and finds the range of every kRangeRows rows. For one thread.
class RangesOfBlocks {
 public:
  void Add(const model::ColumnView& slice);
  /// No slice comes any more: one range a block, in order.
  const std::vector<ColumnRange>& Finish();
  /// Of all rows; after Finish.
  ColumnRange whole() const { return ColumnRange::Of(whole_.stats()); }

 private:
  void EndBlock();

  std::vector<ColumnRange> blocks_;
  RangeOfParts block_;
  RangeOfParts whole_;
  uint64_t rows_ = 0;  // Of the block.
};

/// The bytes of a list of ranges, and the list from its bytes; kSerialization when they are none.
std::string EncodeRanges(const std::vector<ColumnRange>& ranges);
Result<std::vector<ColumnRange>> DecodeRanges(std::string_view bytes);

}  // namespace elanus::store
