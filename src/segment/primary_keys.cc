// Rows in key order.
#include "segment/primary_keys.h"

#include <algorithm>
#include <numeric>

#include "base/partition_point.h"
#include "segment/segment.h"

namespace elanus::segment {

PrimaryKeys::PrimaryKeys(const model::ColumnView& keys, store::KeyFilter filter)
    : keys_(keys), filter_(filter) {
  // Rows mostly arrive in key order, and compactions sort by it.
  const bool is_int = keys.type == model::DataType::kInt64;
  const int64_t* values = is_int ? keys.values<int64_t>() : nullptr;
  const auto is_less = [&](uint32_t a, uint32_t b) {
    return is_int ? values[a] < values[b] : keys.Bytes(a) < keys.Bytes(b);
  };
  bool is_sorted = true;
  for (uint32_t row = 1; row < keys.rows && is_sorted; ++row) is_sorted = !is_less(row, row - 1);
  if (is_sorted) return;
  order_.resize(keys.rows);
  std::iota(order_.begin(), order_.end(), 0u);
  std::stable_sort(order_.begin(), order_.end(), is_less);
}

namespace {

// As PartitionPoint over [0, end), but what lies shortly behind `near` is looked at first.
template <class IsBefore>
size_t PartitionPointNear(size_t near, size_t end, IsBefore is_before) {
  constexpr size_t kShortly = 64;  // Places; six steps.
  if (near >= end || !is_before(near))
    return PartitionPoint(size_t{0}, std::min(near, end), is_before);
  const size_t far = near + kShortly;
  if (far < end && is_before(far)) return PartitionPoint(far + 1, end, is_before);
  return PartitionPoint(near + 1, std::min(far, end), is_before);
}

}  // namespace

size_t PrimaryKeys::LowerBound(const model::ColumnView& other, size_t at, size_t near) const {
  if (keys_.type == model::DataType::kInt64) {
    const int64_t* values = keys_.values<int64_t>();
    const auto key = other.Get<int64_t>(at);
    return PartitionPointNear(near, keys_.rows,
                              [&](size_t place) { return values[RowAt(place)] < key; });
  }
  const std::string_view key = other.Bytes(at);
  return PartitionPointNear(near, keys_.rows,
                            [&](size_t place) { return keys_.Bytes(RowAt(place)) < key; });
}

bool PrimaryKeys::Equal(uint32_t row, const model::ColumnView& other, size_t at) const {
  return keys_.Bytes(row) == other.Bytes(at);
}

std::vector<KeyRun> SegmentView::KeyRuns() const {
  const PrimaryKeys* order = KeyOrder();
  if (order == nullptr) return {};
  return {{.keys = order->keys(), .order = order}};
}

model::Column KeyColumn(model::DataType type, const std::vector<model::Scalar>& keys) {
  model::Column column = model::MakeColumn(FieldId(0), "", type, model::DataType::kNone, 0);
  for (const model::Scalar& key : keys) {
    if (type == model::DataType::kInt64 && key.is_int()) {
      const int64_t value = key.as_int();
      column.AppendFixed(&value);
    } else if (type == model::DataType::kVarChar && key.is_string()) {
      column.AppendBytes(key.as_string());
    }
  }
  return column;
}

}  // namespace elanus::segment
