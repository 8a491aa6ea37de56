// BIN_FLAT: the exact scan as an index type.
#pragma once

#include "index/binary/binary_block.h"
#include "index/vector_index.h"

namespace elanus::index {
const IndexType& BinFlatType();
}
