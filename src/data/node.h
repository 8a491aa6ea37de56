// A data node: turns sealed rows into files and files into indexes.
#pragma once

#include "base/executor.h"
#include "base/option_spec.h"
#include "roles/data.h"
#include "store/object_store.h"

namespace elanus::data {

struct DataOptions {
  int64_t index_rows_min = 1024;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(index_rows_min, OptionSpec{"indexCoord.segment.minSegmentNumRowsToEnableIndex", "rows", 0,
                                     1e9, "Vectors of smaller segments are scanned, exactly."});
  }
};

/// Thread-safe. `objects` and `build_pool` must outlive it.
class Node final : public roles::Data {
 public:
  Node(store::ObjectStore& objects, Pool& build_pool, const DataOptions& options)
      : objects_(objects), build_pool_(build_pool), options_(options) {}

  Result<model::SegmentInfo> Flush(Context& ctx, const roles::FlushTask& task) override;
  Result<model::DeltaInfo> FlushDeletes(Context& ctx, CollectionId collection,
                                        const std::string& vchannel,
                                        const model::Deletes& deletes) override;
  Result<model::SegmentIndexInfo> BuildIndex(Context& ctx, const model::SegmentInfo& segment,
                                             const model::CollectionInfo& collection,
                                             const model::IndexInfo& index) override;
  Result<roles::CompactionResult> Compact(Context& ctx, const roles::CompactionTask& task,
                                          const model::CollectionInfo& collection) override;
  Result<roles::MergeDeletesResult> MergeDeletes(Context& ctx, const roles::MergeDeletesTask& task,
                                                 const model::CollectionInfo& collection) override;
  /// Writes the files of segment `from` once more under the ids of `to`, whose manifest key it
  /// sets. Errors: kIntegrity, kIoFailed, kKeyNotFound, kCanceled.
  Status CopySegment(Context& ctx, const model::SegmentInfo& from, model::SegmentInfo& to);

 private:
  store::ObjectStore& objects_;
  Pool& build_pool_;
  const DataOptions options_;
};

}  // namespace elanus::data
