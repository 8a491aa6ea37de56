// Searching opened inverted lists.
#pragma once

#include <memory>

#include "index/ivf/file.h"
#include "index/vector_index.h"

namespace elanus::index {

/// `rows`: the segment's own vectors; must outlive the index.
std::unique_ptr<VectorIndex> MakeIvfIndex(OpenedIvf lists, VectorBlock rows, model::Metric metric);

}  // namespace elanus::index
