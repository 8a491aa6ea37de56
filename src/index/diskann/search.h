// Searching an opened disk graph.
#pragma once

#include <memory>

#include "index/diskann/file.h"
#include "index/vector_index.h"

namespace elanus::index {

/// See the parameter min_k.
inline constexpr int64_t kRangeListMin = 100;

/// `beam_width`: of searches that do not say.
std::unique_ptr<VectorIndex> MakeDiskIndex(OpenedDisk disk, model::Metric metric,
                                           size_t beam_width);

}  // namespace elanus::index
