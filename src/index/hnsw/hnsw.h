// HNSW: a layered proximity graph (Malkov and Yashunin, 2016, arXiv:1603.09320), on float32 vectors
// or on codes.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {
const IndexType& HnswType();
const IndexType& HnswSqType();
const IndexType& HnswPqType();
const IndexType& HnswPrqType();
}  // namespace elanus::index
