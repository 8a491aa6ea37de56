// What one role asks another about a shard or a segment. Plain values that
// could cross a process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/column.h"
#include "model/requests/collection.h"
#include "model/requests/data.h"
#include "model/requests/deletes.h"
#include "model/requests/partial_hits.h"
#include "model/requests/shard_query.h"
#include "model/requests/shard_search.h"

namespace elanus::model {

/// One record of a channel's log before it has a timestamp.
struct ShardWrite {
  std::string vchannel;
  CollectionId collection;
  PartitionId partition;        // Of the inserted rows and of the deletes; 0 (deletes
                                // only): every one.
  std::vector<Column> columns;  // Empty: a pure delete. Field ids set; all
                                // fields of the schema but none else.
  Column delete_keys;           // Keys whose older versions in `partition` go; empty: a
                                // pure insert.
  /// Inserted rows of one more partition.
  struct PartitionRows {
    PartitionId partition;
    std::vector<Column> columns;  // At least one row.
    template <class V>
    void Fields(V &v) {
      v(1, "partition", partition);
      v(2, "columns", columns);
    }
  };
  std::vector<PartitionRows> more;  // Of partitions that differ from each other and from
                                    // `partition`, in the same moment.
  bool deletes_everywhere = false;  // The keys go from every partition.
  int32_t schema_version = 0;       // That the columns are of.

  template <class V>
  void Fields(V &v) {
    v(1, "vchannel", vchannel);
    v(2, "collection", collection);
    v(3, "partition", partition);
    v(4, "columns", columns);
    v(5, "delete_keys", delete_keys);
    v(6, "more", more);
    v(7, "deletes_everywhere", deletes_everywhere);
    v(8, "schema_version", schema_version);
  }
};

/// One flush of a shard, made official by one metadata transaction.
struct FlushCommit {
  std::string vchannel;
  CollectionId collection;
  std::vector<SegmentInfo> segments;
  std::vector<DeltaInfo> deltas;
  uint64_t checkpoint = 0;  // Log position: everything up to here is in segments and deltas.
  Timestamp checkpoint_ts;
};

/// A collection loses its rows, made official by one metadata transaction.
struct TruncateCommit {
  struct Channel {
    std::string vchannel;
    uint64_t position = 0;  // In its log: what was written up to here is gone.
  };
  CollectionId collection;
  std::vector<Channel> channels;
  Timestamp timestamp;  // Every record up to the positions is older, every later one newer.
};

/// Where a shard's recovery starts.
struct ShardCheckpoint {
  uint64_t position = 0;
  Timestamp timestamp;
  template <class V>
  void Fields(V &v) {
    v(1, "position", position);
    v(2, "timestamp", timestamp);
  }
};

/// What a shard has in the object store, as of one moment.
struct ShardFiles {
  std::vector<SegmentInfo> segments;  // Ascending by id.
  std::vector<DeltaInfo> deltas;
  ShardCheckpoint checkpoint;  // Deletes up to its timestamp are applied to
                               // segments or in deltas.
};

/// One compaction of a shard, made official by one metadata transaction.
struct CompactionCommit {
  /// What is known of a segment that stays.
  struct Known {
    SegmentId segment;
    Timestamp deletes_counted;
    int64_t deleted_rows = 0;  // 0: every delete up to deletes_counted counts as applied.
  };
  CollectionId collection;
  std::string vchannel;
  std::vector<SegmentId> inputs;        // They go.
  std::vector<SegmentInfo> outputs;     // Their rows; none when no row is left.
  std::vector<std::string> old_deltas;  // Keys of delta logs that go.
  std::vector<DeltaInfo> new_deltas;    // What is still needed of them.
  std::vector<Known> known;
};

}  // namespace elanus::model
