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

}  // namespace

Visible HideExpired(const SegmentView& segment, Visible visible, Timestamp expired_before) {
  if (visible.none || expired_before == Timestamp()) return visible;
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

}  // namespace elanus::segment
