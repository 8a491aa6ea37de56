// Which shard a row belongs to, by its primary key. Stable for the life of a collection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/column.h"

namespace elanus::model {

/// What rows are spread by. Int64: murmur3-32 of the eight little-endian bytes without the sign
/// bit; VarChar: CRC32 (IEEE) of the first 100 bytes.
uint32_t HashOfKey(int64_t key);
uint32_t HashOfKey(std::string_view key);

/// The hash of the key modulo `shards`.
size_t ShardOf(const ColumnView& keys, size_t row, size_t shards);

}  // namespace elanus::model
