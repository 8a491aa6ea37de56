// Finds rows of an immutable set of rows by primary key.
#pragma once

#include <cstdint>
#include <vector>

#include "model/column.h"
#include "model/scalar.h"

namespace elanus::segment {

/// Rows in key order: 4 bytes a row. Immutable; thread-safe. The column must outlive it.
class PrimaryKeys {
 public:
  PrimaryKeys() = default;
  /// `keys` is a whole Int64 or VarChar column.
  explicit PrimaryKeys(const model::ColumnView& keys);

  /// Calls fn(row) for each row whose key equals row `at` of `other` (same type).
  template <class Fn>
  void ForEachEqual(const model::ColumnView& other, size_t at, Fn fn) const {
    for (size_t i = LowerBound(other, at); i < order_.size(); ++i) {
      if (!Equal(order_[i], other, at)) return;
      fn(order_[i]);
    }
  }
  size_t memory_bytes() const { return order_.size() * sizeof(uint32_t); }

 private:
  size_t LowerBound(const model::ColumnView& other, size_t at) const;
  bool Equal(uint32_t row, const model::ColumnView& other, size_t at) const;

  model::ColumnView keys_;
  std::vector<uint32_t> order_;
};

/// The constants as a key column of `type`; values of another type are left out.
model::Column KeyColumn(model::DataType type, const std::vector<model::Scalar>& keys);

}  // namespace elanus::segment
