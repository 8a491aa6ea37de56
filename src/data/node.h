// A data node: turns sealed rows into files and files into indexes.
#pragma once

#include "base/executor.h"
#include "base/option_spec.h"
#include "data/build_memory.h"
#include "roles/data.h"
#include "store/object_store.h"

namespace elanus::data {

struct DataOptions {
  int64_t index_rows_min = 1024;
  int64_t build_memory_mb = 0;
  bool compaction_build_all_cores = false;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(index_rows_min, OptionSpec{"indexCoord.segment.minSegmentNumRowsToEnableIndex", "rows", 0,
                                     1e9, "Vectors of smaller segments are scanned, exactly."});
    visit(build_memory_mb,
          OptionSpec{"dataNode.index.buildMemoryLimit", "MB", 0, 1 << 30,
                     "Index builds that run at once take no more together, by estimate; a single "
                     "one may. 0: half of the machine's."});
    visit(compaction_build_all_cores,
          OptionSpec{"dataNode.compaction.buildAllCores", "", 0, 1,
                     "Indexes of compacted segments are built on all cores: sooner, and searches "
                     "wait longer meanwhile. False: on one."});
  }
};

/// Thread-safe. The executor, `objects` and `build_pool` must outlive it.
class Node final : public roles::Data {
 public:
  Node(Executor& executor, store::ObjectStore& objects, Pool& build_pool,
       const DataOptions& options);

  Result<model::SegmentInfo> Flush(Context& ctx, const roles::FlushTask& task) override;
  Result<model::DeltaInfo> FlushDeletes(Context& ctx, CollectionId collection,
                                        const std::string& vchannel,
                                        const model::Deletes& deletes) override;
  Result<model::SegmentIndexInfo> BuildIndex(Context& ctx, const model::SegmentInfo& segment,
                                             const model::CollectionInfo& collection,
                                             const model::IndexInfo& index,
                                             roles::BuildPace pace) override;
  Result<int64_t> CountExpired(Context& ctx, const model::SegmentInfo& segment, FieldId field,
                               int64_t until_us) override;
  Result<roles::CompactionResult> Compact(Context& ctx, const roles::CompactionTask& task,
                                          const model::CollectionInfo& collection) override;
  Result<roles::MergeDeletesResult> MergeDeletes(Context& ctx, const roles::MergeDeletesTask& task,
                                                 const model::CollectionInfo& collection) override;
  /// Writes the files of segment `from` once more under the ids of `to`, whose manifest key it
  /// sets. Errors: kIntegrity, kIoFailed, kKeyNotFound, kCanceled.
  Status CopySegment(Context& ctx, const model::SegmentInfo& from, model::SegmentInfo& to);

 private:
  Executor& executor_;
  store::ObjectStore& objects_;
  Pool& build_pool_;
  const DataOptions options_;
  BuildMemory build_memory_;
};

}  // namespace elanus::data
