// Rows of one segment in the order of their keys, from where a filter's bounds say to where they
// end or a page is full. Private to the pages of keys.
#pragma once

#include <cstdint>
#include <span>
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

/// -1, 0, 1 as keys order.
int CompareKeys(const KeyedRow& a, const KeyedRow& b);
/// Whether `a` comes later. Versions of a key are in the order of rows.
bool IsLater(const KeyedRow& a, const KeyedRow& b);

/// Merges the runs of a segment, once. A run in no order is made a heap of the rows between the
/// bounds: as many steps as it has rows, and few for each row that is taken. Not thread-safe.
class KeyWalk {
 public:
  /// `segment` outlives the walk, as `bounds` and what `need` names do. There is a run at least.
  KeyWalk(const SegmentView& segment, uint32_t number, std::span<const KeyRun> runs,
          const expr::KeyBounds& bounds, const PageNeed& need);

  int64_t keys_met() const { return keys_met_; }
  /// No further row is needed, or there is none.
  bool has_ended() const { return has_ended_; }
  /// The next rows, `count` of them or as many as there are; their timestamps are not set. Good
  /// until the next call.
  std::span<const KeyedRow> Ahead(size_t count);
  /// Goes on by at most `count` rows. Adds to `rows` those in `allowed`, of which an empty view
  /// means every row. Errors: kCanceled, kDeadlineExceeded.
  Status Go(Context& ctx, size_t count, BitsetView allowed, std::vector<KeyedRow>& rows);

 private:
  struct Run {
    KeyRun of;
    size_t place = 0;                 // In its order.
    std::vector<uint32_t> heap = {};  // Without an order: the rows to come, the first in front.
    KeyedRow next = {};
    bool has_ended = false;
  };

  KeyedRow RowAt(const KeyRun& run, uint32_t row) const;
  // The orders of the heaps, of runs by their next rows and of a run's rows: what comes first is in
  // front.
  auto LaterRun() const {
    return [this](uint32_t a, uint32_t b) { return IsLater(runs_[a].next, runs_[b].next); };
  }
  auto LaterRow(const KeyRun& of) const {
    return [this, &of](uint32_t a, uint32_t b) { return IsLater(RowAt(of, a), RowAt(of, b)); };
  }
  void OpenRun(const KeyRun& of);
  void Advance(Run& run);
  bool IsBeforeBounds(const KeyedRow& row) const;
  bool IsPastBounds(const KeyedRow& row) const;
  void Fill(size_t count);

  const SegmentView& segment_;
  const uint32_t number_;
  const bool has_int_keys_;
  const expr::KeyBounds& bounds_;
  KeyedRow least_;     // Of the bounds, where they have one.
  KeyedRow greatest_;  // Likewise.
  const PageNeed need_;
  std::vector<Run> runs_;
  std::vector<uint32_t> heads_;  // A heap of the runs that have not ended, the first row in front.
  std::vector<KeyedRow> ahead_;  // Merged, from `next_` on not gone over yet.
  size_t next_ = 0;
  size_t gone_over_ = 0;
  int64_t keys_met_ = 0;
  bool has_ended_ = false;
  KeyedRow last_;
};

}  // namespace elanus::segment
