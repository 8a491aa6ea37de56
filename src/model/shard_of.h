// Which shard a row belongs to, by its primary key. Stable for the life of a collection.
#pragma once

#include <cstddef>

#include "model/column.h"

namespace elanus::model {

/// Int64: murmur3-32 of the eight little-endian bytes without the sign bit; VarChar: CRC32 (IEEE)
/// of the first 100 bytes; both modulo `shards`.
size_t ShardOf(const ColumnView& keys, size_t row, size_t shards);

}  // namespace elanus::model
