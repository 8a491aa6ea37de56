// Pages of rows in key order.
#include "segment/key_page.h"

#include <algorithm>

#include "segment/primary_keys.h"

namespace elanus::segment {
namespace {

// Rows that may wait before those past the page's end are dropped.
constexpr size_t kWaitingMin = 16384;

int CompareKeys(const KeyedRow& a, const KeyedRow& b) {
  if (a.int_key != b.int_key) return a.int_key < b.int_key ? -1 : 1;
  return a.text_key.compare(b.text_key);
}
bool SameKey(const KeyedRow& a, const KeyedRow& b) { return CompareKeys(a, b) == 0; }
// Keys ascending, the newest version first.
bool Before(const KeyedRow& a, const KeyedRow& b) {
  const int order = CompareKeys(a, b);
  return order != 0 ? order < 0 : a.timestamp > b.timestamp;
}

// Leaves the newest row of each key in the order of keys; at most `limit`.
void SortByKey(std::vector<KeyedRow>& rows, int64_t limit) {
  // A page of many rows needs no more of them in order; twice as many hold for repeated keys.
  size_t wanted = limit < 0 ? rows.size() : 2 * static_cast<size_t>(limit) + 1;
  for (;; wanted *= 2) {
    const auto end = rows.begin() + static_cast<ptrdiff_t>(std::min(wanted, rows.size()));
    std::partial_sort(rows.begin(), end, rows.end(), Before);
    const auto last = std::unique(rows.begin(), end, SameKey);
    if (wanted >= rows.size() || last - rows.begin() >= limit) {
      rows.erase(last, rows.end());
      break;
    }
    rows.erase(last, end);
  }
  if (limit >= 0 && rows.size() > static_cast<size_t>(limit)) {
    rows.resize(static_cast<size_t>(limit));
  }
}

}  // namespace

KeyedRow KeyPage::RowOf(const model::ColumnView& keys, size_t i, uint64_t timestamp) const {
  KeyedRow row{.timestamp = timestamp};
  if (key_.type == model::DataType::kInt64)
    row.int_key = keys.Get<int64_t>(i);
  else
    row.text_key = keys.Bytes(i);
  return row;
}

bool KeyPage::IsPastEnd(const KeyedRow& row) const {
  return has_end_ && CompareKeys(row, end_) > 0;
}

bool KeyPage::CanHold(const model::BlockStats& keys) const {
  if (!has_end_ || !keys.has_range) return true;
  return key_.type == model::DataType::kInt64 ? keys.int_min <= end_.int_key
                                              : keys.text_min <= end_.text_key;
}

void KeyPage::Add(KeyedRow row) {
  if (IsPastEnd(row)) return;
  rows_.push_back(row);
  if (limit_ >= 0 && rows_.size() >= kWaitingMin + 4 * static_cast<size_t>(limit_)) Prune();
}

void KeyPage::Prune() {
  SortByKey(rows_, limit_);
  if (limit_ <= 0 || rows_.size() < static_cast<size_t>(limit_)) return;
  has_end_ = true;
  end_ = rows_.back();
}

Status KeyPage::Scan(Context& ctx, const SegmentView& segment, uint32_t number,
                     const Allowed& allowed) {
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    TRY(ctx.CheckAlive());
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    TRY_ASSIGN(const model::ColumnView keys, segment.Read(key_.id, begin, count));
    const uint64_t* timestamps = segment.RowTimestamps(begin);
    const auto add = [&](size_t i) {
      KeyedRow row = RowOf(keys, i, timestamps[i]);
      row.segment = number;
      row.row = static_cast<uint32_t>(begin + i);
      Add(row);
    };
    if (allowed.all) {
      for (size_t i = 0; i < count; ++i) add(i);
    } else {
      const BitsetView bits = allowed.view();
      ForEachSet({bits.words + begin / 64, count}, add);
    }
  }
  return {};
}

// The rows by their places in key order, until the page is full or at its end.
Status KeyPage::Walk(Context& ctx, const SegmentView& segment, uint32_t number,
                     const Allowed& allowed, size_t first_place) {
  const PrimaryKeys& order = *segment.KeyOrder();
  const BitsetView bits = allowed.view();
  int64_t keys_met = 0;
  KeyedRow last;
  for (size_t place = first_place; place < segment.rows(); ++place) {
    if (place % kChunkRows == 0) TRY(ctx.CheckAlive());
    const uint32_t row_number = order.RowAt(place);
    if (!allowed.all && !bits.Test(row_number)) continue;
    TRY_ASSIGN(const model::ColumnView key, segment.Read(key_.id, row_number, 1));
    KeyedRow row = RowOf(key, 0, *segment.RowTimestamps(row_number));
    row.segment = number;
    row.row = row_number;
    if (IsPastEnd(row)) break;
    if (keys_met == 0 || !SameKey(row, last)) {
      if (keys_met == limit_) break;
      ++keys_met;
    }
    last = row;
    rows_.push_back(row);
  }
  return {};
}

Status KeyPage::Collect(Context& ctx, const SegmentView& segment, uint32_t number,
                        const Allowed& allowed, const expr::Plan& plan) {
  const PrimaryKeys* order = limit_ < 0 ? nullptr : segment.KeyOrder();
  const size_t rows = segment.rows();
  const size_t passed = allowed.all ? rows : allowed.view().Count();
  // A walk meets a row that passes every rows / passed places; a scan looks at those that pass.
  const auto wanted = static_cast<double>(limit_);
  const double walked = wanted * static_cast<double>(rows) / std::max<double>(1, passed);
  if (order != nullptr && walked < static_cast<double>(passed)) {
    size_t first_place = 0;
    if (const model::Scalar* floor = expr::KeyFloor(plan)) {
      const model::Column column = KeyColumn(key_.type, {*floor});
      if (column.rows == 1) first_place = order->LowerBound(column.view(), 0);
    }
    TRY(Walk(ctx, segment, number, allowed, first_place));
  } else {
    TRY(Scan(ctx, segment, number, allowed));
  }
  if (limit_ >= 0) Prune();
  return {};
}

std::vector<KeyedRow> KeyPage::Take() {
  SortByKey(rows_, limit_);
  return std::move(rows_);
}

Status ValueReader::AppendTo(const KeyedRow& row, model::Column& to) {
  const SegmentView& segment = *segments_[row.segment];
  std::vector<model::ColumnView>& chunks = chunks_[row.segment];
  if (chunks.empty()) chunks.resize((segment.rows() + kChunkRows - 1) / kChunkRows);
  const size_t chunk = row.row / kChunkRows;
  if (chunks[chunk].rows == 0) {
    const size_t begin = chunk * kChunkRows;
    TRY_ASSIGN(chunks[chunk],
               segment.Read(field_, begin, std::min(kChunkRows, segment.rows() - begin)));
  }
  to.AppendRow(chunks[chunk], row.row % kChunkRows);
  return {};
}

}  // namespace elanus::segment
