// Walking rows by key.
#include "segment/key_walk.h"

#include <algorithm>

namespace elanus::segment {
namespace {

// Rows that are merged at a time when nobody asks for more.
constexpr size_t kAheadRows = 256;

// The first place whose key lies in the bounds, if any does.
size_t FirstPlace(const PrimaryKeys& order, const expr::KeyBounds& bounds) {
  if (!bounds.least) return 0;
  const model::Column least = KeyColumn(order.keys().type, {bounds.least->key});
  if (least.rows == 0) return 0;
  const size_t first = order.LowerBound(least.view(), 0);
  if (bounds.least->is_inside) return first;
  size_t place = first;
  const auto is_least = [&](uint32_t row) {
    return order.keys().Bytes(row) == least.view().Bytes(0);
  };
  while (place < order.keys().rows && is_least(order.RowAt(place))) ++place;
  return place;
}

KeyedRow KeyOf(const model::Scalar& key) {
  KeyedRow row;
  if (key.is_int()) row.int_key = key.as_int();
  if (key.is_string()) row.text_key = key.as_string();
  return row;
}

}  // namespace

int CompareKeys(const KeyedRow& a, const KeyedRow& b) {
  if (a.int_key != b.int_key) return a.int_key < b.int_key ? -1 : 1;
  return a.text_key.compare(b.text_key);
}

bool IsLater(const KeyedRow& a, const KeyedRow& b) {
  const int order = CompareKeys(a, b);
  return order != 0 ? order > 0 : a.row > b.row;
}

KeyWalk::KeyWalk(const SegmentView& segment, uint32_t number, std::span<const KeyRun> runs,
                 const expr::KeyBounds& bounds, const PageNeed& need)
    : segment_(segment),
      number_(number),
      has_int_keys_(runs[0].keys.type == model::DataType::kInt64),
      bounds_(bounds),
      least_(bounds.least ? KeyOf(bounds.least->key) : KeyedRow()),
      greatest_(bounds.greatest ? KeyOf(bounds.greatest->key) : KeyedRow()),
      need_(need) {
  runs_.reserve(runs.size());
  for (const KeyRun& run : runs) OpenRun(run);
  std::make_heap(heads_.begin(), heads_.end(), LaterRun());
  has_ended_ = heads_.empty();
}

KeyedRow KeyWalk::RowAt(const KeyRun& run, uint32_t row) const {
  KeyedRow keyed{.segment = number_, .row = run.first_row + row};
  if (has_int_keys_)
    keyed.int_key = run.keys.Get<int64_t>(row);
  else
    keyed.text_key = run.keys.Bytes(row);
  return keyed;
}

void KeyWalk::OpenRun(const KeyRun& of) {
  Run run{.of = of};
  if (of.order != nullptr) {
    run.place = FirstPlace(*of.order, bounds_);
  } else {
    for (uint32_t row = 0; row < of.keys.rows; ++row) {
      const KeyedRow keyed = RowAt(of, row);
      if (!IsBeforeBounds(keyed) && !IsPastBounds(keyed)) run.heap.push_back(row);
    }
    std::make_heap(run.heap.begin(), run.heap.end(), LaterRow(of));
  }
  Advance(run);
  // A run that begins past the bounds has nothing for the page.
  if (run.has_ended || IsPastBounds(run.next)) return;
  heads_.push_back(static_cast<uint32_t>(runs_.size()));
  runs_.push_back(std::move(run));
}

// To the run's next row.
void KeyWalk::Advance(Run& run) {
  if (run.of.order != nullptr) {
    run.has_ended = run.place >= run.of.keys.rows;
    if (!run.has_ended) run.next = RowAt(run.of, run.of.order->RowAt(run.place++));
    return;
  }
  run.has_ended = run.heap.empty();
  if (run.has_ended) return;
  run.next = RowAt(run.of, run.heap.front());
  std::pop_heap(run.heap.begin(), run.heap.end(), LaterRow(run.of));
  run.heap.pop_back();
}

bool KeyWalk::IsBeforeBounds(const KeyedRow& row) const {
  if (!bounds_.least) return false;
  const int order = CompareKeys(row, least_);
  return order < 0 || (order == 0 && !bounds_.least->is_inside);
}

bool KeyWalk::IsPastBounds(const KeyedRow& row) const {
  if (need_.end != nullptr && CompareKeys(row, *need_.end) > 0) return true;
  if (!bounds_.greatest) return false;
  const int order = CompareKeys(row, greatest_);
  return order > 0 || (order == 0 && !bounds_.greatest->is_inside);
}

void KeyWalk::Fill(size_t count) {
  if (next_ == ahead_.size()) {
    ahead_.clear();
    next_ = 0;
  }
  while (ahead_.size() - next_ < count && !heads_.empty()) {
    const bool is_only = heads_.size() == 1;
    if (!is_only) std::pop_heap(heads_.begin(), heads_.end(), LaterRun());
    Run& run = runs_[heads_.back()];
    ahead_.push_back(run.next);
    Advance(run);
    if (run.has_ended) {
      heads_.pop_back();
    } else if (!is_only) {
      std::push_heap(heads_.begin(), heads_.end(), LaterRun());
    }
  }
}

std::span<const KeyedRow> KeyWalk::Ahead(size_t count) {
  Fill(count);
  return std::span(ahead_).subspan(next_, std::min(count, ahead_.size() - next_));
}

Status KeyWalk::Go(Context& ctx, size_t count, BitsetView allowed, std::vector<KeyedRow>& rows) {
  for (size_t i = 0; i < count && !has_ended_; ++i) {
    if (gone_over_++ % kChunkRows == 0) TRY(ctx.CheckAlive());
    if (next_ == ahead_.size()) Fill(std::min(kAheadRows, count - i));
    has_ended_ = next_ == ahead_.size();
    if (has_ended_) return {};
    KeyedRow row = ahead_[next_++];
    if (!allowed.empty() && !allowed.Test(row.row)) continue;
    const bool is_new = keys_met_ == 0 || CompareKeys(row, last_) != 0;
    has_ended_ = IsPastBounds(row) || (is_new && keys_met_ == need_.keys_max);
    if (has_ended_) return {};
    if (is_new) ++keys_met_;
    last_ = row;
    row.timestamp = *segment_.RowTimestamps(row.row);
    rows.push_back(row);
  }
  has_ended_ = has_ended_ || (next_ == ahead_.size() && heads_.empty());
  return {};
}

}  // namespace elanus::segment
