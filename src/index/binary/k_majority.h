// k-means on bits, for inverted lists: centroids are rows of bits, too (k-majority: Grana,
// Borghesani, Manfredi and Cucchiara 2013).
#pragma once

#include <vector>

#include "index/binary/binary_block.h"
#include "index/vector_index.h"

namespace elanus::index {

/// `count` centroids (count x row bytes) of at least as many rows, from at most 64 rows a centroid;
/// deterministic. A bit of a centroid is set when most of its rows set it; for JACCARD a centroid
/// has as many set bits as its rows have on average, those set most often. An empty cluster takes a
/// row of the largest one. `on_progress` gets 0..1. Cancellable.
Result<std::vector<uint8_t>> TrainBinaryCentroids(Context& ctx, BinaryBlock rows, size_t count,
                                                  model::Metric metric,
                                                  const BuildOptions& options);

/// The nearest centroid of each row by `metric`; the first of equally near ones. Cancellable.
Result<std::vector<uint32_t>> AssignBinaryRows(Context& ctx, BinaryBlock rows,
                                               const std::vector<uint8_t>& centroids,
                                               model::Metric metric, Pool* pool);

}  // namespace elanus::index
