// Hiding expired rows.
#include "segment/expire.h"

#include <algorithm>

#include "base/partition_point.h"

namespace elanus::segment {
namespace {

// The number of rows inserted before a moment.
size_t RowsBefore(const SegmentView& segment, Timestamp moment) {
  return PartitionPoint(size_t{0}, segment.rows(),
                        [&](size_t row) { return *segment.RowTimestamps(row) < moment.value(); });
}

// Bits to hide more of the visible rows in.
std::shared_ptr<Bitset> BitsOf(const SegmentView& segment, const Visible& visible) {
  return visible.rows == nullptr ? std::make_shared<Bitset>(segment.rows(), true)
                                 : std::make_shared<Bitset>(*visible.rows);
}

Visible Showing(std::shared_ptr<Bitset> bits) {
  if (!bits->Any()) return {.rows = nullptr, .none = true};
  return {.rows = std::move(bits), .none = false};
}

// Of rows in another order each one is looked at.
Visible HideEach(const SegmentView& segment, const Visible& visible, Timestamp expired_before) {
  auto bits = BitsOf(segment, visible);
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    const uint64_t* timestamps = segment.RowTimestamps(begin);
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    for (size_t i = 0; i < count; ++i) {
      if (timestamps[i] < expired_before.value()) bits->Clear(begin + i);
    }
  }
  return Showing(std::move(bits));
}

}  // namespace

Visible HideExpired(const SegmentView& segment, Visible visible, Timestamp expired_before) {
  if (visible.none || expired_before == Timestamp()) return visible;
  if (segment.OldestRow() >= expired_before) return visible;
  if (!segment.IsInTimeOrder()) return HideEach(segment, visible, expired_before);
  const size_t expired = RowsBefore(segment, expired_before);
  if (expired == 0) return visible;
  if (expired == segment.rows()) return {.rows = nullptr, .none = true};
  auto bits = BitsOf(segment, visible);
  std::fill_n(bits->words(), expired / 64, uint64_t{0});
  for (size_t row = expired / 64 * 64; row < expired; ++row) bits->Clear(row);
  return Showing(std::move(bits));
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
      if (bits == nullptr) bits = BitsOf(segment, visible);
      bits->Clear(begin + i);
    }
  }
  return bits == nullptr ? visible : Showing(std::move(bits));
}

Result<Visible> VisibleRows(const SegmentView& segment, const model::ShardRead& read,
                            Timestamp read_at) {
  return HideExpiredByField(segment,
                            HideExpired(segment, segment.VisibleAt(read_at), read.expired_before),
                            read.expiry_field, read.expiry_us);
}

}  // namespace elanus::segment
