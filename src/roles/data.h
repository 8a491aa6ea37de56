// What a data node answers: it writes sealed segments to the object store and builds their indexes.
#pragma once

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
                                                     const model::IndexInfo& index) = 0;
};

}  // namespace elanus::roles
