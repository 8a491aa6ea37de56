// Rows of a source that lie anywhere in it, brought together as a source of their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "expr/expr.h"
#include "model/column.h"

namespace elanus::expr {

/// Row i is row rows[i] of `source`; no index and no statistics know them. Values are copied batch
/// by batch, and only of fields that are read: a view lasts until the next batch of its field. Not
/// thread-safe; borrows both.
class GatheredRows final : public ColumnSource {
 public:
  /// `rows` rise.
  GatheredRows(const ColumnSource& source, std::span<const uint32_t> rows)
      : source_(source), rows_(rows) {}

  size_t rows() const override { return rows_.size(); }
  Result<model::ColumnView> Read(FieldId field, size_t begin, size_t count) const override;
  std::string_view NameOf(FieldId field) const override { return source_.NameOf(field); }

 private:
  struct Batch {
    size_t begin = 0;
    model::Column column;
  };

  const ColumnSource& source_;
  const std::span<const uint32_t> rows_;
  mutable std::map<int64_t, Batch> batches_;  // By field.
};

/// The set bits in order, or nothing when there are more than `most`.
std::optional<std::vector<uint32_t>> ListRows(BitsetView bits, size_t most);

/// Bit i is that of row rows[i].
Bitset GatherBits(const Bitset& bits, std::span<const uint32_t> rows);

}  // namespace elanus::expr
