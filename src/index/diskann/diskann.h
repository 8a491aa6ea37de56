// DISKANN and AISAQ: a graph whose nodes lie on disk, walked by codes in memory (Subramanya et al.
// 2019, "DiskANN: Fast Accurate Billion-point Nearest Neighbor Search on a Single Node").
#pragma once

#include "index/vector_index.h"

namespace elanus::index {

const IndexType& DiskAnnType();
/// The same file, of which nothing is copied into memory: a walk reads the codes too through the
/// mapping, so that an index nobody asks takes no memory and a busy one what the page cache has
/// (Tatsuno et al. 2024, "AiSAQ: All-in-Storage ANNS with Product Quantization").
const IndexType& AisaqType();

/// Blocks that searches of all DISKANN indexes have asked of their files so far, whether the page
/// cache held them or not; blocks of the hot cache do not count. Thread-safe.
uint64_t DiskAnnBlocksRead();

}  // namespace elanus::index
