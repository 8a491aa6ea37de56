// DISKANN: a graph whose nodes lie on disk, walked by codes in memory (Subramanya et al. 2019,
// "DiskANN: Fast Accurate Billion-point Nearest Neighbor Search on a Single Node").
#pragma once

#include "index/vector_index.h"

namespace elanus::index {

const IndexType& DiskAnnType();

/// Blocks that searches of all DISKANN indexes have asked of their files so far, whether the page
/// cache held them or not; blocks of the hot cache do not count. Thread-safe.
uint64_t DiskAnnBlocksRead();

}  // namespace elanus::index
