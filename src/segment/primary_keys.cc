// Rows in key order.
#include "segment/primary_keys.h"

#include <algorithm>
#include <numeric>

namespace elanus::segment {

PrimaryKeys::PrimaryKeys(const model::ColumnView& keys) : keys_(keys), order_(keys.rows) {
  std::iota(order_.begin(), order_.end(), 0u);
  if (keys.type == model::DataType::kInt64) {
    const int64_t* values = keys.values<int64_t>();
    // Rows mostly arrive in key order; checking first saves the sort.
    if (std::is_sorted(values, values + keys.rows)) return;
    std::stable_sort(order_.begin(), order_.end(),
                     [&](uint32_t a, uint32_t b) { return values[a] < values[b]; });
  } else {
    std::stable_sort(order_.begin(), order_.end(),
                     [&](uint32_t a, uint32_t b) { return keys.Bytes(a) < keys.Bytes(b); });
  }
}

size_t PrimaryKeys::LowerBound(const model::ColumnView& other, size_t at) const {
  auto found = order_.end();
  if (keys_.type == model::DataType::kInt64) {
    const int64_t* values = keys_.values<int64_t>();
    found = std::lower_bound(order_.begin(), order_.end(), other.Get<int64_t>(at),
                             [&](uint32_t row, int64_t key) { return values[row] < key; });
  } else {
    found = std::lower_bound(
        order_.begin(), order_.end(), other.Bytes(at),
        [&](uint32_t row, std::string_view key) { return keys_.Bytes(row) < key; });
  }
  return static_cast<size_t>(found - order_.begin());
}

bool PrimaryKeys::Equal(uint32_t row, const model::ColumnView& other, size_t at) const {
  return keys_.Bytes(row) == other.Bytes(at);
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
