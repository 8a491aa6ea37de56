// What a data node answers: it writes sealed segments to the object store and builds their indexes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/requests/shard.h"

namespace elanus::roles {

/// The content of one sealed segment, columns by field id, with the row timestamps.
struct FlushTask {
  SegmentId segment;
  CollectionId collection;
  PartitionId partition;
  std::string vchannel;
  std::vector<model::Column> columns;
  std::vector<uint64_t> row_timestamps;
  FieldId primary_key;  // 0: the segment gets no filter of its keys.
  FieldId sort_by;      // Rows of the segment ascend by it; 0: as they are.
};

/// Segments of one partition of one shard whose rows become one segment, or several of other sizes.
struct CompactionTask {
  SegmentId output;
  std::vector<model::SegmentInfo> inputs;  // At least one.
  std::vector<model::DeltaInfo> deltas;    // All of the shard.
  Timestamp deletes_until;                 // Every delete up to here is applied or in `deltas`.
  Timestamp expired_before;                // Rows inserted before this moment go.
  // Rows hidden by later deletes stay, for readers of the past.
  Timestamp reclaim_until = kTimestampMax;
  FieldId expiry_field;   // As in model::ShardRead: rows that it lets live until `expiry_us` at
  int64_t expiry_us = 0;  // most go.
  bool is_clustering = false;  // `sort_by` is a clustering key.
  FieldId sort_by;  // Rows of the outputs ascend by it, nulls first; 0: by insert timestamp.
  std::vector<SegmentId> more_outputs;  // What `output` has no room for goes to these, in order.
  int64_t output_bytes_max = 0;         // About that much an output; 0: all rows in the first.
  int64_t write_bytes_per_s = 0;        // No faster than that; 0: as fast as it goes.
};

struct CompactionResult {
  std::optional<model::SegmentInfo> output;  // Empty: no row is left, or nothing was written.
  std::vector<model::SegmentInfo> more_outputs;
  int64_t rows_removed = 0;
  int64_t rows_hidden = 0;    // Of the rows that stay: deleted, but after `reclaim_until`.
  bool is_unchanged = false;  // The only input lost no row, so nothing was written.
};

/// Delta logs of a shard that become one, without the deletes that hide no row.
struct MergeDeletesTask {
  int64_t output = 0;  // A fresh id; names the object.
  CollectionId collection;
  std::string vchannel;
  std::vector<model::DeltaInfo> deltas;
  std::vector<model::SegmentInfo> segments;  // All of the shard.
};

struct MergeDeletesResult {
  std::optional<model::DeltaInfo> delta;  // Empty: no delete is needed any more.
  std::vector<int64_t> deleted_rows;      // Of each segment, in the order of the task.
};

/// How much of the machine a build of an index may take.
enum class BuildPace {
  kAll,   // Somebody waits for it.
  kSome,  // Nobody does: searches are to find room.
};

/// Thread-safe.
class Data {
 public:
  virtual ~Data() = default;
  /// Writes binlogs and manifest; the catalog does not know them yet. Idempotent by segment id.
  virtual Result<model::SegmentInfo> Flush(Context& ctx, const FlushTask& task) = 0;
  /// Writes a delta log.
  virtual Result<model::DeltaInfo> FlushDeletes(Context& ctx, CollectionId collection,
                                                const std::string& vchannel,
                                                const model::Deletes& deletes) = 0;
  /// Builds one index of one flushed segment and writes its file; key empty when the segment is too
  /// small.
  virtual Result<model::SegmentIndexInfo> BuildIndex(Context& ctx,
                                                     const model::SegmentInfo& segment,
                                                     const model::CollectionInfo& collection,
                                                     const model::IndexInfo& index,
                                                     BuildPace pace) = 0;
  /// Writes the rows of the inputs that are neither deleted nor expired, in the order that the task
  /// asks for. The catalog does not know the outputs yet.
  virtual Result<CompactionResult> Compact(Context& ctx, const CompactionTask& task,
                                           const model::CollectionInfo& collection) = 0;
  /// How many rows of a flushed segment have a value of the Timestamptz field that is `until_us` or
  /// earlier: 0 when the segment is older than the field. Reads the column when its range does not
  /// tell.
  virtual Result<int64_t> CountExpired(Context& ctx, const model::SegmentInfo& segment,
                                       FieldId field, int64_t until_us) = 0;
  /// Counts the rows that the deletes hide and writes the deletes that hide one.
  virtual Result<MergeDeletesResult> MergeDeletes(Context& ctx, const MergeDeletesTask& task,
                                                  const model::CollectionInfo& collection) = 0;
};

}  // namespace elanus::roles
