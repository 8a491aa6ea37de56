// Searching an opened graph.
#pragma once

#include <memory>

#include "index/hnsw/file.h"
#include "index/vector_index.h"

namespace elanus::index {

/// Breadth of a stream, and how much of it waits to be put in order, where the user names none.
inline constexpr int64_t kDefaultSeedEf = 40;
inline constexpr double kDefaultWindowRatio = 0.5;

/// `rows`: the segment's own vectors; must outlive the index.
std::unique_ptr<VectorIndex> MakeGraphIndex(OpenedGraph graph, VectorBlock rows,
                                            model::Metric metric);

/// A stream over an opened graph, which goes on walking where it stopped. Both borrowed.
std::unique_ptr<HitStream> MakeGraphStream(const OpenedGraph& graph, VectorBlock rows,
                                           model::Metric metric, const StreamRequest& request);

}  // namespace elanus::index
