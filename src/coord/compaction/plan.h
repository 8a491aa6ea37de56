// What to compact: pure functions over what the catalog knows of one shard.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "coord/compaction.h"

namespace elanus::coord {

struct CompactionPlan {
  CollectionId collection;
  std::string vchannel;
  PartitionId partition;
  std::vector<SegmentId> inputs;  // To become one, or several when they are large. Empty: merge the
                                  // delta logs of the shard.
  int64_t output_bytes_max = 0;   // About that much a segment.
  bool is_clustering = false;     // Rows are put in the order of the clustering key.
};

/// One shard at one moment.
struct ShardView {
  const model::CollectionInfo& collection;
  const std::string& vchannel;
  const model::ShardFiles& files;
  const std::set<SegmentId>& busy;  // Inputs of other plans.
  int64_t now_ms = 0;
  // Rows that a field says are past their time; none are known of a segment that is not there.
  std::map<SegmentId, int64_t> expired_rows = {};
  std::set<SegmentId> resting = {};  // Their dead rows cannot go yet.
};

/// Rows inserted before this moment may go for good. `open_read`: the earliest moment that somebody
/// still reads at; kTimestampMax: nobody does.
Timestamp ReclaimBefore(const CompactionOptions& options, const model::CollectionInfo& collection,
                        int64_t now_ms, Timestamp open_read = kTimestampMax);

/// Rows deleted before this moment may go for good.
Timestamp DeletedUntil(const CompactionOptions& options, int64_t now_ms,
                       Timestamp open_read = kTimestampMax);

/// The same for rows with an end of their own, in microseconds.
int64_t ExpiredUntilUs(const CompactionOptions& options, int64_t now_ms,
                       Timestamp open_read = kTimestampMax);

/// The delta logs that are not counted yet are many or large, or may hide many rows.
bool DeletesAreDue(const CompactionOptions& options, const ShardView& shard);

/// Merges of small segments that at least double the largest of them, so a row is rewritten
/// log(largest size / smallest) times; and rewrites of segments with much that is dead.
std::vector<CompactionPlan> PlanAutomatic(const CompactionOptions& options, const ShardView& shard);

/// Rewrites of the segments that lack a field which a function is to fill, each alone.
std::vector<CompactionPlan> PlanFills(const CompactionOptions& options, const ShardView& shard);

/// All small segments packed, and every segment that may have dead rows.
std::vector<CompactionPlan> PlanManual(const CompactionOptions& options, const ShardView& shard,
                                       const roles::CompactionRequest& request);

/// Partitions of the shard with much that is not in the order of the clustering key yet, or with
/// some for long: all their segments, as the next function.
std::vector<CompactionPlan> PlanDueClustering(const CompactionOptions& options,
                                              const ShardView& shard);

/// All segments of each partition together, which are to be cut anew by the clustering key.
std::vector<CompactionPlan> PlanClustering(const CompactionOptions& options, const ShardView& shard,
                                           const roles::CompactionRequest& request);

}  // namespace elanus::coord
