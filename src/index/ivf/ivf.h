// Inverted lists: rows in lists around k-means centroids; a search scans the nearest lists (Jegou,
// Douze, Schmid 2011).
#pragma once

#include "index/vector_index.h"

namespace elanus::index {
const IndexType& IvfFlatType();
const IndexType& IvfSq8Type();
const IndexType& IvfPqType();
const IndexType& IvfRabitqType();
const IndexType& ScannType();
}  // namespace elanus::index
