// HNSW: a layered proximity graph (Malkov and Yashunin, 2016, arXiv:1603.09320).
#pragma once

#include "index/vector_index.h"

namespace elanus::index {
const IndexType& HnswType();
}
