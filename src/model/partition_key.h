// Which partition a row belongs to, by the value of its partition key. Stable for the life of a
// collection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/column.h"
#include "model/requests/collection.h"
#include "model/scalar.h"

namespace elanus::model {

inline constexpr std::string_view kIsolationKey = "partitionkey.isolation";
inline constexpr int64_t kPartitionsOfKey = 16;  // When the request does not say how many.

/// "_default_3": the name of a partition that rows come to by their key.
std::string PartitionName(size_t at);

/// The place, among the `count` partitions of the collection, of rows with this key: its hash, see
/// HashOfKey, modulo `count`. Keys are Int64 or VarChar and not null.
size_t PartitionOfKey(const ColumnView& keys, size_t row, size_t count);
size_t PartitionOfKey(const Scalar& key, size_t count);

/// The partition key of a collection that keeps the rows of each of its values apart: together in
/// a segment and with an index of their own. Null: it does not.
const FieldSchema* IsolatedKey(const CollectionInfo& collection);

}  // namespace elanus::model
