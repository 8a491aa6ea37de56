// Deleted keys, in memory and as what the catalog knows of a delta log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/column.h"

namespace elanus::model {

/// Deleted keys with their moments: they hide older rows of their partition.
struct Deletes {
  Column keys;
  std::vector<uint64_t> timestamps;     // One a key.
  std::vector<PartitionId> partitions;  // One a key; 0: every partition.

  /// Adds keys that went from `partition` at `timestamp`; all calls have keys of one type.
  void Append(const ColumnView& more, Timestamp timestamp, PartitionId partition) {
    if (keys.type == DataType::kNone) {
      keys = MakeColumn(FieldId(0), "", more.type, DataType::kNone, 0);
    }
    keys.AppendAll(more);
    timestamps.resize(keys.rows, timestamp.value());
    partitions.resize(keys.rows, partition);
  }
  /// True when key `at` goes from `partition`.
  bool Reaches(size_t at, PartitionId partition) const {
    return partitions[at] == PartitionId() || partitions[at] == partition;
  }

  template <class V>
  void Fields(V& v) {
    v(1, "keys", keys);
    v(2, "timestamps", timestamps);
    v(3, "partitions", partitions);
  }
};

/// A delta log written at flush: `Deletes` for the older rows of the shard.
struct DeltaInfo {
  std::string key;
  CollectionId collection;
  std::string vchannel;
  int64_t rows = 0;
  Timestamp newest;   // Of its deletes; 0: written by an early build, unknown.
  int64_t bytes = 0;  // Of the object.
  template <class V>
  void Fields(V& v) {
    v(1, "key", key);
    v(2, "collection", collection);
    v(3, "vchannel", vchannel);
    v(4, "rows", rows);
    v(5, "newest", newest);
    v(6, "bytes", bytes);
  }
};

}  // namespace elanus::model
