// Pages of rows in key order.
#include "segment/key_page.h"

#include <algorithm>

#include "base/profile.h"
#include "segment/filter_source.h"
#include "segment/key_walk.h"
#include "segment/primary_keys.h"

namespace elanus::segment {
namespace {

// Rows that may wait before those past the page's end are dropped.
constexpr size_t kWaitingMin = 16384;

// Rows whose share that passes is taken for that of all, and the most that a page may look at one
// by one: a filter asked of rows here and there reads blocks of them, and no index.
constexpr size_t kFirstLook = 512;
constexpr size_t kLooksShare = 4;
// To sort a row among many, in places walked past.
constexpr double kSortCost = 8;

bool SameKey(const KeyedRow& a, const KeyedRow& b) { return CompareKeys(a, b) == 0; }
// Keys ascending, the newest version first.
bool Before(const KeyedRow& a, const KeyedRow& b) {
  const int order = CompareKeys(a, b);
  return order != 0 ? order < 0 : a.timestamp > b.timestamp;
}

// Leaves the newest row of each key in the order of keys; at most `limit`.
void SortByKey(std::vector<KeyedRow>& rows, int64_t limit) {
  // The rows of one segment come in order mostly.
  if (std::is_sorted(rows.begin(), rows.end(), Before)) {
    rows.erase(std::unique(rows.begin(), rows.end(), SameKey), rows.end());
    if (limit >= 0 && rows.size() > static_cast<size_t>(limit))
      rows.resize(static_cast<size_t>(limit));
    return;
  }
  // A page of many rows needs no more of them in order; twice as many hold for repeated keys.
  size_t wanted = limit < 0 ? rows.size() : 2 * static_cast<size_t>(limit) + 1;
  for (;; wanted *= 2) {
    const auto end = rows.begin() + static_cast<ptrdiff_t>(std::min(wanted, rows.size()));
    if (end == rows.end())
      std::sort(rows.begin(), end, Before);
    else
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

PageNeed KeyPage::Need() const { return {.keys_max = limit_, .end = has_end_ ? &end_ : nullptr}; }

Status KeyPage::Collect(Context& ctx, const SegmentView& segment, uint32_t number,
                        const Allowed& allowed, const expr::KeyBounds& bounds) {
  const size_t rows = segment.rows();
  const size_t passed = allowed.all ? rows : allowed.view().Count();
  // A walk meets a row that passes every rows / passed places; a scan looks at those that pass, and
  // without a limit has to sort them all.
  const auto wanted =
      limit_ < 0 ? static_cast<double>(passed) / kSortCost : static_cast<double>(limit_);
  const double walked = wanted * static_cast<double>(rows) / std::max<double>(1, passed);
  if (segment.KeyOrder() != nullptr && walked < static_cast<double>(passed)) {
    KeyWalk walk(segment, number, segment.KeyRuns(), bounds, Need());
    TRY(walk.Go(ctx, rows, allowed.view(), rows_));
  } else {
    TRY(Scan(ctx, segment, number, allowed));
  }
  if (limit_ >= 0) Prune();
  return {};
}

Result<bool> KeyPage::CollectInOrder(Context& ctx, const SegmentView& segment, uint32_t number,
                                     const Visible& visible, const expr::KeyBounds& bounds) {
  const bool asks = !bounds.rest.always_true();
  const bool can = limit_ >= 0 && (bounds.least || !asks) && !expr::HasSample(bounds.rest);
  if (!can) return false;
  if (visible.none) return true;
  const std::vector<KeyRun> runs = segment.KeyRuns();
  if (runs.empty()) return false;
  KeyWalk walk(segment, number, runs, bounds, Need());
  const size_t rows_before = rows_.size();
  const BitsetView shown = visible.rows == nullptr ? BitsetView() : visible.rows->view();
  if (!asks) TRY(walk.Go(ctx, segment.rows(), shown, rows_));
  const FilterSource source(segment);
  const size_t looks_max = segment.rows() / kLooksShare;
  size_t looked_at = 0;
  size_t batch = kFirstLook;
  Bitset matches;
  while (asks && !walk.has_ended()) {
    TRY(ctx.CheckAlive());
    const std::span<const KeyedRow> ahead = walk.Ahead(batch);
    if (looked_at + ahead.size() > looks_max) {
      rows_.resize(rows_before);
      return false;
    }
    Bitset candidates(segment.rows());
    for (const KeyedRow& row : ahead) {
      if (shown.empty() || shown.Test(row.row)) candidates.Set(row.row);
    }
    TRY(expr::EvaluateAmong(ctx, bounds.rest, source, candidates, matches));
    looked_at += ahead.size();
    TRY(walk.Go(ctx, ahead.size(), matches.view(), rows_));
    // As many as the rest of the page takes at this rate, and a bit.
    const auto met = static_cast<double>(std::max<int64_t>(1, walk.keys_met()));
    const auto missing = static_cast<double>(limit_ - walk.keys_met()) + 1;
    batch = std::max(kFirstLook,
                     static_cast<size_t>(1.1 * missing * static_cast<double>(looked_at) / met));
  }
  ProfileSays(ctx, "filter", "asked of rows in the order of their keys, from the least on");
  ProfileSays(ctx, "rows_filtered", static_cast<int64_t>(looked_at));
  Prune();
  return true;
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
