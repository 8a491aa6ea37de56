// Rows of one segment in the order of their keys, from where a filter's bounds say to where they
// end or a page is full. Private to the pages of keys.
#pragma once

#include <cstdint>
#include <vector>

#include "expr/key_bounds.h"
#include "segment/key_page.h"
#include "segment/primary_keys.h"
#include "segment/segment.h"

namespace elanus::segment {

/// What of its rows a page needs.
struct PageNeed {
  int64_t keys_max = 0;           // Different keys, every version of each; -1: all.
  const KeyedRow* end = nullptr;  // No larger key; null: any.
};

/// Goes through places in key order, once. Not thread-safe.
class KeyWalk {
 public:
  /// `segment` knows its keys' order and outlives the walk, as `bounds` and what `need` names do.
  KeyWalk(const SegmentView& segment, uint32_t number, const expr::KeyBounds& bounds,
          const PageNeed& need);

  size_t place() const { return place_; }
  int64_t keys_met() const { return keys_met_; }
  /// No further row is needed, or there is none.
  bool has_ended() const { return has_ended_; }
  /// The row at the walk's place and `ahead` further.
  uint32_t RowAhead(size_t ahead) const { return order_.RowAt(place_ + ahead); }
  /// Goes on to `place_end`, a place past the walk's and not past the rows. Adds to `rows` those in
  /// `allowed`, of which an empty view means every row. Errors: kCanceled, kDeadlineExceeded.
  Status GoTo(Context& ctx, size_t place_end, BitsetView allowed, std::vector<KeyedRow>& rows);

 private:
  KeyedRow RowAt(uint32_t row) const;
  bool IsPastBounds(const KeyedRow& row) const;

  const SegmentView& segment_;
  const uint32_t number_;
  const PrimaryKeys& order_;
  const bool has_int_keys_;
  const expr::KeyBounds& bounds_;
  const PageNeed need_;
  size_t place_ = 0;
  int64_t keys_met_ = 0;
  bool has_ended_ = false;
  KeyedRow last_;
};

/// -1, 0, 1 as keys order.
int CompareKeys(const KeyedRow& a, const KeyedRow& b);

}  // namespace elanus::segment
