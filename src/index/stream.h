// Ways to make a stream of hits of what an index type can already do.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "index/vector_index.h"

namespace elanus::index {

/// A row with its key: smaller is better.
struct ScoredRow {
  float key;
  uint32_t row;
  bool operator<(const ScoredRow& o) const { return key < o.key || (key == o.key && row < o.row); }
  bool operator>(const ScoredRow& o) const { return o < *this; }
};

/// Gives `rows` in ascending order, sorting no more of them than are asked for. Scores are scale *
/// key.
std::unique_ptr<HitStream> MakeScoredStream(std::vector<ScoredRow> rows, float scale);

/// Searches again and again, each time for more hits among the rows that were not given yet, so
/// that the searches' number grows with the logarithm of the hits. `row_count`: of the segment.
using SearchFunction = std::function<Status(Context&, const SearchRequest&, Hits)>;
std::unique_ptr<HitStream> MakeDeepeningStream(SearchFunction search, size_t row_count,
                                               const StreamRequest& request);

}  // namespace elanus::index
