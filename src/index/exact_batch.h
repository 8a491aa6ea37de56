// Batches of queries that are answered by scanning: several threads share the rows, not the
// queries, so that each row is read once for all queries.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {

/// Threads that may work on one call beside the one that calls: so many workers of the pool.
struct Helpers {
  Pool* pool = nullptr;  // Null: none.
  size_t max = 0;
};

/// Whether a batch over these rows is better answered by SearchExactTogether than by threads that
/// search for some of the queries each: the rows have no index (null) or one that scans them, and
/// are many beside k. Of `rows` only number and element are looked at.
bool SharesExactBatch(const IndexType* type, const VectorBlock& rows, model::Metric metric,
                      uint32_t k);

/// As SearchExact over dense rows, with the same answers.
Status SearchExactTogether(Context& ctx, const Helpers& helpers, VectorBlock rows,
                           model::Metric metric, const SearchRequest& request, Hits hits);

}  // namespace elanus::index
