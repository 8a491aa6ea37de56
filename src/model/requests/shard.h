// What one role asks another about a shard or a segment. Plain values that could cross a process.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/column.h"
#include "model/data_type.h"
#include "model/requests/collection.h"
#include "model/requests/data.h"
#include "model/requests/deletes.h"
#include "model/scalar.h"

namespace elanus::model {

/// One record of a channel's log before it has a timestamp.
struct ShardWrite {
  std::string vchannel;
  CollectionId collection;
  PartitionId partition;  // Of the inserted rows and of the deletes; 0 (deletes only): every one.
  std::vector<Column>
      columns;  // Empty: a pure delete. Field ids set; all fields of the schema but none else.
  Column delete_keys;  // Keys whose older versions in `partition` go; empty: a pure insert.

  template <class V>
  void Fields(V& v) {
    v(1, "vchannel", vchannel);
    v(2, "collection", collection);
    v(3, "partition", partition);
    v(4, "columns", columns);
    v(5, "delete_keys", delete_keys);
  }
};

/// What to read in one shard, for search and query alike.
struct ShardRead {
  std::string vchannel;
  CollectionId collection;
  std::vector<PartitionId> partitions;  // Empty: every loaded one.
  std::string filter;
  std::map<std::string, Scalar> templates;
  Timestamp guarantee;  // Wait until this much of the log is applied.
  Timestamp read_at;    // 0: what is applied; else exactly this moment.
  bool ignore_growing = false;
  std::vector<FieldId> output_fields;
  Timestamp expired_before;  // Rows inserted before this moment are past their time to live.

  template <class V>
  void Fields(V& v) {
    v(1, "vchannel", vchannel);
    v(2, "collection", collection);
    v(3, "partitions", partitions);
    v(4, "filter", filter);
    v(5, "templates", templates);
    v(6, "guarantee", guarantee);
    v(7, "read_at", read_at);
    v(8, "ignore_growing", ignore_growing);
    v(9, "output_fields", output_fields);
    v(10, "expired_before", expired_before);
  }
};

struct ShardSearch {
  ShardRead read;
  FieldId vector_field;
  Metric metric = Metric::kL2;
  uint32_t k = 0;                             // offset + limit.
  std::map<std::string, std::string> params;  // The search's over those the index was built with.
  bool has_radius = false;
  double radius = 0;
  bool has_range_filter = false;
  double range_filter = 0;
  int32_t round_decimal = -1;
  Column queries;  // Of the field's type, one row a query.

  uint32_t nq() const { return static_cast<uint32_t>(queries.rows); }

  template <class V>
  void Fields(V& v) {
    v(1, "read", read);
    v(2, "vector_field", vector_field);
    v(3, "metric", metric);
    v(6, "k", k);
    v(7, "params", params);
    v(8, "has_radius", has_radius);
    v(9, "radius", radius);
    v(10, "has_range_filter", has_range_filter);
    v(11, "range_filter", range_filter);
    v(12, "round_decimal", round_decimal);
    v(13, "queries", queries);
  }
};

/// Hits of several queries, best first within each. Output columns are aligned with the hits.
struct PartialHits {
  std::vector<uint32_t> counts;  // Per query.
  Column primary_keys;
  std::vector<float> scores;
  std::vector<Column> columns;
  Timestamp read_at;

  template <class V>
  void Fields(V& v) {
    v(1, "counts", counts);
    v(2, "primary_keys", primary_keys);
    v(3, "scores", scores);
    v(4, "columns", columns);
    v(5, "read_at", read_at);
  }
};

struct ShardQuery {
  ShardRead read;
  int64_t limit = -1;  // Rows wanted (offset included), smallest keys first; -1: all.
  bool count_only = false;

  template <class V>
  void Fields(V& v) {
    v(1, "read", read);
    v(2, "limit", limit);
    v(3, "count_only", count_only);
  }
};

/// Rows of a query, ascending by primary key, newest version of each key.
struct PartialRows {
  int64_t count = 0;  // count_only.
  Column primary_keys;
  std::vector<uint64_t> row_timestamps;
  std::vector<Column> columns;
  Timestamp read_at;

  template <class V>
  void Fields(V& v) {
    v(1, "count", count);
    v(2, "primary_keys", primary_keys);
    v(3, "row_timestamps", row_timestamps);
    v(4, "columns", columns);
    v(5, "read_at", read_at);
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

/// Where a shard's recovery starts.
struct ShardCheckpoint {
  uint64_t position = 0;
  Timestamp timestamp;
  template <class V>
  void Fields(V& v) {
    v(1, "position", position);
    v(2, "timestamp", timestamp);
  }
};

/// What a shard has in the object store, as of one moment.
struct ShardFiles {
  std::vector<SegmentInfo> segments;  // Ascending by id.
  std::vector<DeltaInfo> deltas;
  ShardCheckpoint checkpoint;  // Deletes up to its timestamp are applied to segments or in deltas.
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
