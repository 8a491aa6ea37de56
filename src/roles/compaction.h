// What whoever schedules compactions answers: compact now, and how far is it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/ids.h"
#include "base/status.h"

namespace elanus::roles {

inline constexpr ErrorCode kClusteringUnsupported{2304};
inline constexpr ErrorCode kCompactionBlocked{2317};

/// Which flushed segments of a collection to compact.
struct CompactionRequest {
  CollectionId collection;
  bool deletes_only = false;        // Merge the delta logs and count what they hide.
  bool is_clustering = false;       // All of a partition's rows anew, by the clustering key.
  int64_t target_mb = 0;            // Above 0: merge into segments of about this size.
  PartitionId partition;            // 0: every one.
  std::string vchannel;             // Empty: every one.
  std::vector<SegmentId> segments;  // Empty: every one.
};

struct CompactionTicket {
  int64_t id = -1;  // -1: there is nothing to do.
  int64_t plans = 0;
};

struct CompactionState {
  /// A task that replaces segments by one.
  struct Merge {
    PartitionId partition;
    std::string vchannel;
    std::vector<SegmentId> sources;
    SegmentId target{-1};  // -1: not yet, or no row was left.
    bool is_over = false;
    std::string failure;
  };
  int64_t executing = 0;  // Waiting or running.
  int64_t completed = 0;
  int64_t failed = 0;
  std::vector<Merge> merges;
};

/// Thread-safe.
class Compaction {
 public:
  virtual ~Compaction() = default;
  /// Queues what there is to do and returns. Errors: kCollectionNotFound, kServiceUnavailable
  /// (compaction is switched off), kClusteringUnsupported (no clustering key, or switched off),
  /// kCompactionBlocked (snapshots protect segments that the request names, or all there is to do).
  virtual Result<CompactionTicket> Compact(Context& ctx, const CompactionRequest& request) = 0;
  /// Fills, in the background and soon, the fields that flushed segments lack (model/back_fill.h);
  /// those of a segment that is protected once it is not any more. kServiceUnavailable: it is
  /// switched off.
  virtual Status FillFields(Context& ctx) = 0;
  /// Unknown and forgotten tickets: nothing executing, nothing else.
  virtual Result<CompactionState> State(Context& ctx, int64_t ticket) = 0;
};

}  // namespace elanus::roles
