// FLAT: the exact scan as an index type.
#pragma once

#include "index/vector_index.h"

namespace elanus::index {
const IndexType& FlatType();
}
