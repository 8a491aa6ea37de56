// A query node: sealed segments in memory or mapped, searched on a pool of one worker a core.
#pragma once

#include <memory>

#include "base/executor.h"
#include "roles/query.h"
#include "store/object_store.h"

namespace elanus::query {

/// Thread-safe. `objects` and `search_pool` must outlive it.
class Node final : public roles::Query {
 public:
  Node(store::ObjectStore& objects, Pool& search_pool);
  ~Node() override;

  Status LoadSegment(Context& ctx, const model::SegmentInfo& segment,
                     const model::CollectionInfo& collection,
                     const std::vector<model::DeltaInfo>& deltas) override;
  Status ReleaseSegment(Context& ctx, SegmentId segment) override;
  Status ApplyDeletes(Context& ctx, const std::vector<SegmentId>& segments,
                      const model::Deletes& deletes) override;
  Result<model::PartialHits> Search(Context& ctx, const std::vector<SegmentId>& segments,
                                    const model::ShardSearch& search) override;
  Result<model::PartialRows> Retrieve(Context& ctx, const std::vector<SegmentId>& segments,
                                      const model::ShardQuery& query) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::query
