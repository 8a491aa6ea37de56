// Walking rows by key.
#include "segment/key_walk.h"

#include <algorithm>

namespace elanus::segment {
namespace {

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

}  // namespace

int CompareKeys(const KeyedRow& a, const KeyedRow& b) {
  if (a.int_key != b.int_key) return a.int_key < b.int_key ? -1 : 1;
  return a.text_key.compare(b.text_key);
}

KeyWalk::KeyWalk(const SegmentView& segment, uint32_t number, const expr::KeyBounds& bounds,
                 const PageNeed& need)
    : segment_(segment),
      number_(number),
      order_(*segment.KeyOrder()),
      has_int_keys_(order_.keys().type == model::DataType::kInt64),
      bounds_(bounds),
      need_(need),
      place_(FirstPlace(order_, bounds)),
      has_ended_(place_ >= segment.rows()) {}

KeyedRow KeyWalk::RowAt(uint32_t row) const {
  KeyedRow keyed{.timestamp = *segment_.RowTimestamps(row), .segment = number_, .row = row};
  if (has_int_keys_)
    keyed.int_key = order_.keys().Get<int64_t>(row);
  else
    keyed.text_key = order_.keys().Bytes(row);
  return keyed;
}

bool KeyWalk::IsPastBounds(const KeyedRow& row) const {
  if (need_.end != nullptr && CompareKeys(row, *need_.end) > 0) return true;
  if (!bounds_.greatest) return false;
  KeyedRow greatest;
  if (has_int_keys_)
    greatest.int_key = bounds_.greatest->key.as_int();
  else
    greatest.text_key = bounds_.greatest->key.as_string();
  const int order = CompareKeys(row, greatest);
  return order > 0 || (order == 0 && !bounds_.greatest->is_inside);
}

Status KeyWalk::GoTo(Context& ctx, size_t place_end, BitsetView allowed,
                     std::vector<KeyedRow>& rows) {
  for (; place_ < place_end && !has_ended_; ++place_) {
    if (place_ % kChunkRows == 0) TRY(ctx.CheckAlive());
    const uint32_t row_number = order_.RowAt(place_);
    if (!allowed.empty() && !allowed.Test(row_number)) continue;
    const KeyedRow row = RowAt(row_number);
    const bool is_new = keys_met_ == 0 || CompareKeys(row, last_) != 0;
    has_ended_ = IsPastBounds(row) || (is_new && keys_met_ == need_.keys_max);
    if (has_ended_) return {};
    if (is_new) ++keys_met_;
    last_ = row;
    rows.push_back(row);
  }
  has_ended_ = has_ended_ || place_ >= segment_.rows();
  return {};
}

}  // namespace elanus::segment
