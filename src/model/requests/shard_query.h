// A query of one shard or segment, and its rows. Plain values that could cross
// a process.
#pragma once

#include <cstdint>
#include <vector>

#include "model/column.h"
#include "model/data_type.h"
#include "model/requests/shard_read.h"

namespace elanus::model {

/// One field by which rows are ordered.
struct OrderField {
  FieldId field;
  bool is_descending = false;
  bool nulls_first = false;

  template <class V>
  void Fields(V &v) {
    v(1, "field", field);
    v(2, "is_descending", is_descending);
    v(3, "nulls_first", nulls_first);
  }
};

enum class AggregateOp : int32_t { kCount = 0, kSum = 1, kAvg = 2, kMin = 3, kMax = 4 };

/// A number over the rows of a group.
struct Aggregate {
  AggregateOp op = AggregateOp::kCount;
  FieldId field;                    // 0, count only: rows, not values.
  DataType type = DataType::kNone;  // Of the field.

  template <class V>
  void Fields(V &v) {
    v(1, "op", op);
    v(2, "field", field);
    v(3, "type", type);
  }
};

struct ShardQuery {
  ShardRead read;
  int64_t limit = -1;  // Rows wanted (offset included); -1: all.
  bool count_only = false;
  std::vector<OrderField> order_by;  // Of the output fields; then, and when empty, by key.
  // With aggregates or group fields the answer is groups, see Aggregator: all
  // of them.
  std::vector<FieldId> group_by;
  std::vector<Aggregate> aggregates;
  int64_t groups_max = 0;  // More of them are an error.

  bool aggregates_rows() const { return !group_by.empty() || !aggregates.empty(); }

  template <class V>
  void Fields(V &v) {
    v(1, "read", read);
    v(2, "limit", limit);
    v(3, "count_only", count_only);
    v(4, "order_by", order_by);
    v(5, "group_by", group_by);
    v(6, "aggregates", aggregates);
    v(7, "groups_max", groups_max);
  }
};

/// Rows of a query in its order, newest version of each key; or groups, whose
/// columns are those of Aggregator::Partial.
struct PartialRows {
  int64_t count = 0;  // count_only.
  Column primary_keys;
  std::vector<uint64_t> row_timestamps;
  std::vector<Column> columns;
  Timestamp read_at;

  template <class V>
  void Fields(V &v) {
    v(1, "count", count);
    v(2, "primary_keys", primary_keys);
    v(3, "row_timestamps", row_timestamps);
    v(4, "columns", columns);
    v(5, "read_at", read_at);
  }
};
}  // namespace elanus::model
