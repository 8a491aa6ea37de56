// Rows of several segments in the order of their keys, as many as a query wants: the newest version
// of each key.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "expr/key_bounds.h"
#include "model/block_stats.h"
#include "segment/search.h"
#include "segment/segment.h"

namespace elanus::segment {

/// A version of a row. The text borrows the segment's bytes.
struct KeyedRow {
  int64_t int_key = 0;  // Of an Int64 key, else 0.
  std::string_view text_key;
  uint64_t timestamp = 0;
  uint32_t segment = 0;
  uint32_t row = 0;
};

struct PageNeed;  // segment/key_walk.h

/// Collects the rows of one segment after the other. With a limit it keeps little more than that,
/// stops in a segment that knows its rows in key order, and then knows which segments cannot have
/// a row of the page any more. Not thread-safe.
class KeyPage {
 public:
  /// `key` must outlive it; of a limit of -1 every row is kept.
  KeyPage(const model::FieldSchema& key, int64_t limit) : key_(key), limit_(limit) {}

  /// Adds the allowed rows of `segment`, which is the caller's `number`. `bounds` are of the filter
  /// that allowed them. Errors: kCanceled, kDeadlineExceeded.
  Status Collect(Context& ctx, const SegmentView& segment, uint32_t number, const Allowed& allowed,
                 const expr::KeyBounds& bounds);
  /// Adds what a limited page needs of the rows in `visible` that pass a filter of such bounds,
  /// which is asked of rows in key order from the least key on and of no others. False, and nothing
  /// is added: the segment has no runs of keys, the filter asks something and knows no least key,
  /// or so few of the first rows pass that all of them had better be asked at once. Errors: as
  /// expr::Evaluate.
  Result<bool> CollectInOrder(Context& ctx, const SegmentView& segment, uint32_t number,
                              const Visible& visible, const expr::KeyBounds& bounds);
  /// False: a segment with such keys has no row of the page.
  bool CanHold(const model::BlockStats& keys) const;
  /// The page, in the order of keys.
  std::vector<KeyedRow> Take();

 private:
  KeyedRow RowOf(const model::ColumnView& keys, size_t i, uint64_t timestamp) const;
  bool IsPastEnd(const KeyedRow& row) const;
  void Add(KeyedRow row);
  void Prune();
  Status Scan(Context& ctx, const SegmentView& segment, uint32_t number, const Allowed& allowed);
  PageNeed Need() const;

  const model::FieldSchema& key_;
  const int64_t limit_;
  std::vector<KeyedRow> rows_;
  bool has_end_ = false;
  KeyedRow end_;  // The last row of the page as far as it is known: only its key counts.
};

/// Values of a field of rows here and there, read a chunk at a time.
class ValueReader {
 public:
  /// Borrows the segments.
  ValueReader(std::span<const std::shared_ptr<const SegmentView>> segments, FieldId field)
      : segments_(segments), field_(field), chunks_(segments.size()) {}
  /// Errors: kFieldNotFound, those of opening the column.
  Status AppendTo(const KeyedRow& row, model::Column& to);

 private:
  std::span<const std::shared_ptr<const SegmentView>> segments_;
  const FieldId field_;
  std::vector<std::vector<model::ColumnView>> chunks_;  // By segment; rows 0: not read yet.
};

}  // namespace elanus::segment
