// Searching an opened disk graph.
#pragma once

#include <memory>

#include "index/diskann/file.h"
#include "index/vector_index.h"

namespace elanus::index {

std::unique_ptr<VectorIndex> MakeDiskIndex(OpenedDisk disk, model::Metric metric);

}  // namespace elanus::index
