// Rows to partitions.
#include "model/partition_key.h"

#include "model/shard_of.h"

namespace elanus::model {

std::string PartitionName(size_t at) {
  return std::string(kDefaultPartition) + "_" + std::to_string(at);
}

size_t PartitionOfKey(const ColumnView& keys, size_t row, size_t count) {
  return ShardOf(keys, row, count);
}

size_t PartitionOfKey(const Scalar& key, size_t count) {
  return (key.is_int() ? HashOfKey(key.as_int()) : HashOfKey(key.as_string())) % count;
}

const FieldSchema* IsolatedKey(const CollectionInfo& collection) {
  const std::string* wish = Find(collection.properties, kIsolationKey);
  if (wish == nullptr || (*wish != "true" && *wish != "True" && *wish != "TRUE" && *wish != "1" &&
                          *wish != "t" && *wish != "T")) {
    return nullptr;
  }
  return collection.schema.partition_key();
}

}  // namespace elanus::model
