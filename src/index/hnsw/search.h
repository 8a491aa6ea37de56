// Searching an opened graph.
#pragma once

#include <memory>

#include "index/hnsw/file.h"
#include "index/vector_index.h"

namespace elanus::index {

/// `rows`: the segment's own vectors; must outlive the index.
std::unique_ptr<VectorIndex> MakeGraphIndex(OpenedGraph graph, VectorBlock rows,
                                            model::Metric metric);

}  // namespace elanus::index
