// BIN_FLAT: the exact scan as an index type.
#pragma once

#include "index/binary_index.h"

namespace elanus::index {
const BinaryIndexType& BinFlatType();
}
