// Requests and answers about collections, partitions, indexes and loading, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/schema.h"

namespace elanus::model {

enum class ConsistencyLevel : int32_t {
  kStrong = 0,
  kSession = 1,
  kBounded = 2,
  kEventually = 3,
  kCustomized = 4,
};

/// By its number or its name ("Strong", "Session", "Bounded", "Eventually", "Customized").
std::optional<ConsistencyLevel> ConsistencyLevelOf(std::string_view text);
std::string_view NameOf(ConsistencyLevel level);

/// A collection as a user names it.
struct CollectionName {
  std::string database;  // Empty: "default".
  std::string collection;
};

enum class IndexState : int32_t {
  kNone = 0,
  kUnissued = 1,
  kInProgress = 2,
  kFinished = 3,
  kFailed = 4
};
enum class LoadState : int32_t { kNotExist = 0, kNotLoad = 1, kLoading = 2, kLoaded = 3 };

struct PartitionInfo {
  PartitionId id;
  std::string name;
  Timestamp created;
  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "name", name);
    v(3, "created", created);
  }
};

/// An index as the catalog keeps it.
struct IndexInfo {
  IndexId id;
  std::string name;
  FieldId field;
  std::string type;    // What is built: "HNSW", "SORTED"; AUTOINDEX already resolved.
  std::string metric;  // Empty for scalar indexes.
  std::vector<KeyValue> build_params;  // Of `type`: numbers as text.
  std::vector<KeyValue> user_params;   // As the user sent them, flattened; what describe returns.
  Timestamp created;
  std::string json_path;       // Of an index on a place in JSON, as model::Predicate::path.
  std::string json_cast_type;  // What its values are cast to: "DOUBLE", "ARRAY_VARCHAR", ...
  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "name", name);
    v(3, "field", field);
    v(4, "type", type);
    v(5, "metric", metric);
    v(6, "build_params", build_params);
    v(7, "user_params", user_params);
    v(8, "created", created);
    v(9, "json_path", json_path);
    v(10, "json_cast_type", json_cast_type);
  }
};

/// An index that comes with its field, which may have no id yet.
struct FieldIndex {
  std::string field;
  IndexInfo info;  // Everything but id, field and created.
};

/// What a change of a schema does to indexes.
struct IndexChange {
  std::vector<FieldIndex> added;
  std::vector<std::string> dropped;  // By name; none of a vector field.
};

struct CreateCollectionRequest {
  CollectionName name;
  CollectionSchema schema;  // Field ids unset; no $meta yet.
  int32_t shards_num = 0;   // 0: one.
  ConsistencyLevel consistency_level = ConsistencyLevel::kBounded;
  std::vector<KeyValue> properties;
  int64_t num_partitions = 0;
  std::vector<FieldIndex> indexes;  // That the collection has from the first moment.
};

/// A collection as the catalog keeps it. Published as an immutable snapshot.
struct CollectionInfo {
  CollectionId id;
  std::string database;
  CollectionSchema schema;
  ConsistencyLevel consistency_level = ConsistencyLevel::kBounded;
  std::vector<KeyValue> properties;
  std::vector<PartitionInfo> partitions;
  std::vector<IndexInfo> indexes;
  std::vector<std::string> vchannels;  // One per shard, in shard order.
  Timestamp created;
  Timestamp updated;                           // Of the last schema or property change.
  bool loaded = false;                         // Wanted by the user.
  std::vector<PartitionId> loaded_partitions;  // Empty while loaded: all of them.
  std::vector<FieldId> fields_left_out;        // Of what is loaded: reads do not know them.

  const PartitionInfo* FindPartition(std::string_view name) const {
    for (const PartitionInfo& p : partitions) {
      if (p.name == name) return &p;
    }
    return nullptr;
  }
  bool HasPartition(PartitionId id) const {
    for (const PartitionInfo& p : partitions) {
      if (p.id == id) return true;
    }
    return false;
  }
  const IndexInfo* IndexOf(FieldId field) const {
    for (const IndexInfo& index : indexes) {
      if (index.field == field) return &index;
    }
    return nullptr;
  }
  bool IsLeftOut(FieldId field) const {
    for (FieldId id : fields_left_out) {
      if (id == field) return true;
    }
    return false;
  }
  /// True when rows of the partition, which exists, are to be read.
  bool IsLoaded(PartitionId partition) const {
    if (!loaded) return false;
    if (loaded_partitions.empty()) return true;
    for (PartitionId id : loaded_partitions) {
      if (id == partition) return true;
    }
    return false;
  }

  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "database", database);
    v(3, "schema", schema);
    v(4, "consistency_level", consistency_level);
    v(5, "properties", properties);
    v(6, "partitions", partitions);
    v(7, "indexes", indexes);
    v(8, "vchannels", vchannels);
    v(9, "created", created);
    v(10, "updated", updated);
    v(11, "loaded", loaded);
    v(12, "loaded_partitions", loaded_partitions);
    v(13, "fields_left_out", fields_left_out);
  }
};

/// Which fields are to be loaded.
struct LoadFields {
  std::vector<std::string> names;  // Empty: all but those that their schema says to leave out.
  bool skip_dynamic_field = false;
};

struct CreateIndexRequest {
  CollectionName name;
  std::string field;
  std::string index_name;              // Empty: the field's name.
  std::vector<KeyValue> extra_params;  // As on the wire; `params` is JSON text.
};

/// What describe_index answers for one index.
struct IndexDescription {
  IndexInfo info;
  std::string field_name;
  std::string built_as;  // JSON: what AUTOINDEX chose, what stands in for a GPU type; else empty.
  int64_t total_rows = 0;
  int64_t indexed_rows = 0;
  int64_t pending_rows = 0;
  IndexState state = IndexState::kFinished;
  std::string fail_reason;
};

}  // namespace elanus::model
