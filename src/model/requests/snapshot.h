// Snapshots of collections: what is kept of them, and how far a restore is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/requests/shard.h"

namespace elanus::model {

/// Keeps a snapshot from being dropped.
struct SnapshotPin {
  int64_t id = 0;
  int64_t until_ms = 0;  // Wall time; 0: until it is taken away.
  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "until_ms", until_ms);
  }
};

/// A collection as its last flush left it. The files it names stay as long as it does.
struct SnapshotInfo {
  std::string name;  // Unique within the collection.
  std::string description;
  CollectionInfo collection;
  std::vector<SegmentInfo> segments;
  std::vector<DeltaInfo> deltas;
  Timestamp moment;                // Every write up to here is in it.
  int64_t protected_until_ms = 0;  // Until then its segments are not compacted.
  std::vector<SnapshotPin> pins;
  template <class V>
  void Fields(V& v) {
    v(1, "name", name);
    v(2, "description", description);
    v(3, "collection", collection);
    v(4, "segments", segments);
    v(5, "deltas", deltas);
    v(6, "moment", moment);
    v(7, "protected_until_ms", protected_until_ms);
    v(8, "pins", pins);
  }
};

struct CreateSnapshotRequest {
  CollectionName collection;
  std::string name;
  std::string description;
  int64_t protection_s = 0;
};

enum class RestoreState : int32_t {
  kNone = 0,
  kPending = 1,
  kExecuting = 2,
  kCompleted = 3,
  kFailed = 4
};

/// A restore into a new collection.
struct RestoreJob {
  int64_t id = 0;
  std::string snapshot;
  std::string database;
  std::string target;  // The new collection.
  RestoreState state = RestoreState::kPending;
  int32_t progress = 0;  // 0..100.
  std::string reason;    // Of a failure.
  int64_t started_ms = 0;
  int64_t cost_ms = 0;
};

}  // namespace elanus::model
