// Finds rows of an immutable set of rows by primary key.
#pragma once

#include <cstdint>
#include <vector>

#include "model/column.h"
#include "model/scalar.h"
#include "store/formats/key_filter.h"

namespace elanus::segment {

/// Rows in key order: 4 bytes a row, nothing when the rows lie in it. Immutable; thread-safe. The
/// column and the filter must outlive it.
class PrimaryKeys {
 public:
  PrimaryKeys() = default;
  /// `keys` is a whole Int64 or VarChar column, `filter` one of its keys, or none.
  explicit PrimaryKeys(const model::ColumnView& keys, store::KeyFilter filter = {});

  /// The whole column.
  const model::ColumnView& keys() const { return keys_; }
  /// The row at a place in key order; equal keys are in the order of rows.
  uint32_t RowAt(size_t place) const {
    return order_.empty() ? static_cast<uint32_t>(place) : order_[place];
  }
  /// The first place whose key is not less than row `at` of `other`. Found in a few steps when it
  /// lies shortly behind `near`.
  size_t LowerBound(const model::ColumnView& other, size_t at, size_t near = 0) const;
  size_t memory_bytes() const { return order_.size() * sizeof(uint32_t); }

 private:
  friend class KeyLookup;
  bool MayHold(const model::ColumnView& other, size_t at) const {
    return !filter_.is_there() || filter_.MayHold(store::HashOfKey(other.Bytes(at)));
  }
  bool Equal(uint32_t row, const model::ColumnView& other, size_t at) const;

  model::ColumnView keys_;
  store::KeyFilter filter_;
  std::vector<uint32_t> order_;  // Empty: the rows lie in key order.
};

/// Looks one key up after another, each near the last one first: keys that ascend cost a few steps
/// each. For one thread.
class KeyLookup {
 public:
  /// `keys` must outlive it.
  explicit KeyLookup(const PrimaryKeys& keys) : keys_(keys) {}

  /// Calls fn(row) for each row whose key equals row `at` of `other` (same type). False: the filter
  /// told that there is none, and nothing was searched.
  template <class Fn>
  bool ForEachEqual(const model::ColumnView& other, size_t at, Fn fn) {
    if (!IsNext(other, at)) {
      if (!keys_.MayHold(other, at)) return false;
      place_ = keys_.LowerBound(other, at, place_);
    }
    for (; IsNext(other, at); ++place_) fn(keys_.RowAt(place_));
    return true;
  }

 private:
  bool IsNext(const model::ColumnView& other, size_t at) const {
    return place_ < keys_.keys_.rows && keys_.Equal(keys_.RowAt(place_), other, at);
  }

  const PrimaryKeys& keys_;
  size_t place_ = 0;  // Behind the rows of the last key; no key before it is greater than that one.
};

/// The constants as a key column of `type`; values of another type are left out.
model::Column KeyColumn(model::DataType type, const std::vector<model::Scalar>& keys);

}  // namespace elanus::segment
