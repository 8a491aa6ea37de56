// Requests and answers about rows: insert, upsert, delete, flush, search,
// query.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/column.h"
#include "model/requests/collection.h"
#include "model/requests/search.h"
#include "model/scalar.h"

namespace elanus::model {

/// What a partial update does with the value that the request has for a field.
struct FieldOp {
  enum class Kind { kReplace, kArrayAppend, kArrayRemove };
  std::string field;
  Kind kind = Kind::kReplace;
  DataType element_type = DataType::kNone;  // Of the elements, as the request says; kNone: nothing.
};

/// Insert and upsert. Columns carry names; ids are filled by the proxy.
struct WriteRequest {
  CollectionName name;
  std::string partition;
  std::vector<Column> columns;
  uint64_t num_rows = 0;
  Timestamp schema_timestamp;  // 0: not given.
  bool upsert = false;
  bool partial_update = false;
  std::vector<FieldOp> field_ops;  // Of a partial update.
};

struct DeleteRequest {
  CollectionName name;
  std::string partition;
  std::string filter;
  std::map<std::string, Scalar> templates;
  ConsistencyLevel consistency_level = ConsistencyLevel::kStrong;
};

struct MutationResult {
  Column primary_keys;  // Int64 or VarChar; empty for delete.
  int64_t insert_count = 0;
  int64_t delete_count = 0;
  int64_t upsert_count = 0;
  Timestamp timestamp;
};

struct QueryRequest {
  CollectionName name;
  std::vector<std::string> partitions;
  std::string filter;
  std::map<std::string, Scalar> templates;
  std::vector<std::string> output_fields;
  std::vector<KeyValue> params;
  ReadConsistency consistency;
};

struct QueryResult {
  std::vector<Column> columns;  // The primary key is always among them; for
                                // count(*) one Int64 column.
  std::vector<std::string> output_fields;
  std::string primary_field;
  Timestamp session;
  // With an element_filter: of each row the elements that it keeps, as Array of Int64. Else of no
  // type.
  Column element_indices;
  std::string explain;  // How the query was run, as JSON; empty: nobody asked.
};

struct FlushResult {
  struct Collection {
    std::string name;
    std::vector<SegmentId> sealed;  // Sealed by this call, not yet flushed.
    std::vector<SegmentId> flushed;
    Timestamp flush_ts;
  };
  std::vector<Collection> collections;
};

/// A segment as the catalog keeps it.
enum class SegmentState : int32_t { kGrowing = 2, kSealed = 3, kFlushed = 4, kDropped = 6 };

struct SegmentIndexInfo {
  IndexId index;
  std::string key;    // Of the index file; empty: nothing to build for this segment.
  int64_t bytes = 0;  // Of the file; 0: written by an early build, unknown.
  std::string type;   // What AUTOINDEX became for this segment; empty: what the
                      // index says.
  std::vector<KeyValue> build_params;  // Of `type`.
  template <class V>
  void Fields(V &v) {
    v(1, "index", index);
    v(2, "key", key);
    v(3, "bytes", bytes);
    v(4, "type", type);
    v(5, "build_params", build_params);
  }
};

struct SegmentInfo {
  SegmentId id;
  CollectionId collection;
  PartitionId partition;
  std::string vchannel;
  SegmentState state = SegmentState::kFlushed;
  int64_t rows = 0;
  std::string manifest_key;
  std::vector<SegmentIndexInfo> indexes;
  Timestamp deletes_applied;  // Rows hidden by deletes up to this moment are not
                              // in the files.
  Timestamp deletes_counted;  // Up to this moment they are in `deleted_rows`.
  int64_t deleted_rows = 0;   // Rows in the files that delete logs hide.
  int64_t bytes = 0;          // Of the column files; 0: written by an early build, unknown.
  Timestamp oldest;           // Of the rows' insert timestamps.
  Timestamp newest;
  FieldId clustered_by;  // A clustering compaction has put the rows in the order of this field.
  Timestamp clustered_at;
  std::vector<FieldId> fields;    // That have a file; empty: written by an early build, unknown.
  bool is_sorted_by_key = false;  // Of the rows; of those of an early build unknown.
  int32_t file_version = 0;       // Of the column files; 0: written by an early build, unknown.

  /// Bytes of the rows that are not known to be deleted.
  int64_t LiveBytes() const {
    if (rows <= 0) return 0;
    return static_cast<int64_t>(
        static_cast<double>(bytes) *
        (1.0 - static_cast<double>(deleted_rows) / static_cast<double>(rows)));
  }

  template <class V>
  void Fields(V &v) {
    v(1, "id", id);
    v(2, "collection", collection);
    v(3, "partition", partition);
    v(4, "vchannel", vchannel);
    v(5, "state", state);
    v(6, "rows", rows);
    v(7, "manifest_key", manifest_key);
    v(8, "indexes", indexes);
    v(9, "deletes_applied", deletes_applied);
    v(10, "deletes_counted", deletes_counted);
    v(11, "deleted_rows", deleted_rows);
    v(12, "bytes", bytes);
    v(13, "oldest", oldest);
    v(14, "newest", newest);
    v(15, "clustered_by", clustered_by);
    v(16, "clustered_at", clustered_at);
    v(17, "fields", fields);
    v(18, "is_sorted_by_key", is_sorted_by_key);
    v(19, "file_version", file_version);
  }
};

/// A segment that reads are answered from: growing, or sealed and on its way into files (state
/// kSealed, without files or indexes yet), or loaded (kFlushed).
struct ServedSegment {
  SegmentInfo info;
  int64_t memory_bytes = 0;  // In memory or mapped now.
};

}  // namespace elanus::model
