// k-means (Lloyd 1982) on a sample, for inverted lists.
#pragma once

#include <vector>

#include "index/codes/dense_rows.h"
#include "index/vector_index.h"

namespace elanus::index {

/// `count` centroids (count x dim) of the rows by L2, from at most 256 rows a centroid;
/// deterministic. An empty cluster takes half of the largest. Cancellable.
Result<std::vector<float>> TrainCentroids(Context& ctx, const FloatRows& rows, size_t count,
                                          Pool* pool);

/// The nearest centroid of each row by L2. Cancellable.
Result<std::vector<uint32_t>> AssignRows(Context& ctx, const FloatRows& rows,
                                         const std::vector<float>& centroids, Pool* pool);

}  // namespace elanus::index
