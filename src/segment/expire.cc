// Hiding expired rows.
#include "segment/expire.h"

#include <algorithm>

namespace elanus::segment {
namespace {

// The number of rows inserted before a moment.
size_t RowsBefore(const SegmentView& segment, Timestamp moment) {
  size_t begin = 0;
  size_t end = segment.rows();
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (*segment.RowTimestamps(middle) < moment.value())
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

// Of rows in another order each one is looked at.
Visible HideEach(const SegmentView& segment, const Visible& visible, Timestamp expired_before) {
  auto bits = visible.rows == nullptr ? std::make_shared<Bitset>(segment.rows(), true)
                                      : std::make_shared<Bitset>(*visible.rows);
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    const uint64_t* timestamps = segment.RowTimestamps(begin);
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    for (size_t i = 0; i < count; ++i) {
      if (timestamps[i] < expired_before.value()) bits->Clear(begin + i);
    }
  }
  if (!bits->Any()) return {.rows = nullptr, .none = true};
  return {.rows = std::move(bits), .none = false};
}

}  // namespace

Visible HideExpired(const SegmentView& segment, Visible visible, Timestamp expired_before) {
  if (visible.none || expired_before == Timestamp()) return visible;
  if (segment.OldestRow() >= expired_before) return visible;
  if (!segment.IsInTimeOrder()) return HideEach(segment, visible, expired_before);
  const size_t expired = RowsBefore(segment, expired_before);
  if (expired == 0) return visible;
  if (expired == segment.rows()) return {.rows = nullptr, .none = true};
  auto bits = visible.rows == nullptr ? std::make_shared<Bitset>(segment.rows(), true)
                                      : std::make_shared<Bitset>(*visible.rows);
  std::fill_n(bits->words(), expired / 64, uint64_t{0});
  for (size_t row = expired / 64 * 64; row < expired; ++row) bits->Clear(row);
  if (!bits->Any()) return {.rows = nullptr, .none = true};
  return {.rows = std::move(bits), .none = false};
}

Result<Visible> HideExpiredByField(const SegmentView& segment, Visible visible, FieldId field,
                                   int64_t expiry_us) {
  if (visible.none || field == FieldId()) return visible;
  const auto whole = segment.WholeStats(field);
  if (whole && whole->has_range && whole->int_min > expiry_us) return visible;
  std::shared_ptr<Bitset> bits;  // Made at the first expired row.
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    TRY_ASSIGN(const model::ColumnView ends, segment.Read(field, begin, count));
    for (size_t i = 0; i < count; ++i) {
      if (!ends.IsValid(i) || ends.Get<int64_t>(i) > expiry_us) continue;
      if (bits == nullptr) {
        bits = visible.rows == nullptr ? std::make_shared<Bitset>(segment.rows(), true)
                                       : std::make_shared<Bitset>(*visible.rows);
      }
      bits->Clear(begin + i);
    }
  }
  if (bits == nullptr) return visible;
  if (!bits->Any()) return Visible{.rows = nullptr, .none = true};
  return Visible{.rows = std::move(bits), .none = false};
}

}  // namespace elanus::segment
