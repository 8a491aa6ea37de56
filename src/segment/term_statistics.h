// Of the term counts of a text field: how many rows, tokens, and rows with each term a segment has.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <span>

#include "base/ids.h"
#include "model/column.h"
#include "model/requests/term_totals.h"
#include "model/schema.h"

namespace elanus::segment {

/// Grows with the rows of a segment. Deleted rows stay in it until compaction writes the segment
/// anew. Thread-safe.
class TermStatistics {
 public:
  /// Adds rows of a sparse column; null ones do not count.
  void Add(const model::ColumnView& rows);
  /// Adds what is known to `totals`, which has a place for each of `terms`.
  void AddTo(std::span<const uint32_t> terms, model::TermTotals& totals) const;
  size_t memory_bytes() const;

 private:
  mutable std::shared_mutex mutex_;  // Guards the members below; held for memory work only.
  uint64_t rows_ = 0;
  double tokens_ = 0;
  absl::flat_hash_map<uint32_t, uint32_t> with_term_;
};

/// Of the fields of a segment that have them, by field id.
using StatisticsOfFields = std::map<int64_t, std::shared_ptr<TermStatistics>>;

/// Adds rows of a field that has statistics; of others nothing.
void AddRows(const StatisticsOfFields& statistics, FieldId field, const model::ColumnView& rows);

/// Empty statistics for each field of the schema that BM25 makes.
StatisticsOfFields MakeStatistics(const model::CollectionSchema& schema);

}  // namespace elanus::segment
