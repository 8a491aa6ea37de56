// IVF_FLAT: rows in lists around k-means centroids; a search scans the nearest lists exactly.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {
const IndexType& IvfFlatType();
}
