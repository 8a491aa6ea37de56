// What a search of one shard or segment finds. Plain values that could cross a process.
#pragma once

#include <cstdint>
#include <vector>

#include "base/timestamp.h"
#include "model/column.h"

namespace elanus::model {

/// Hits of several queries, best first within each; grouped ones group by
/// group, the group with the best hit first. Columns are aligned with the hits.
struct PartialHits {
  std::vector<uint32_t> counts;  // Per query.
  Column primary_keys;
  std::vector<float> scores;
  std::vector<Column> columns;
  Timestamp read_at;
  std::vector<Column> group_values;  // One a key of the grouping.
  int64_t searched_rows = 0;         // Of the segments searched, whatever the filter says of them.

  template <class V>
  void Fields(V& v) {
    v(1, "counts", counts);
    v(2, "primary_keys", primary_keys);
    v(3, "scores", scores);
    v(4, "columns", columns);
    v(5, "read_at", read_at);
    v(6, "group_values", group_values);
    v(7, "searched_rows", searched_rows);
  }
};

}  // namespace elanus::model
