// A query node: sealed segments in memory or mapped, searched on a pool of one worker a core.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "index/batch.h"
#include "roles/query.h"
#include "segment/load_rules.h"
#include "segment/page_streams.h"
#include "segment/piece_cache.h"
#include "store/object_store.h"

namespace elanus::query {

struct QueryOptions {
  index::BatchOptions batch;
  segment::PieceCacheOptions cache;
  segment::LoadOptions load;
  segment::PageStreamOptions pages;
  bool prunes = true;

  template <class Visitor>
  void Describe(Visitor& visit) {
    batch.Describe(visit);
    cache.Describe(visit);
    load.Describe(visit);
    pages.Describe(visit);
    visit(prunes, OptionSpec{"queryNode.enableSegmentPrune", "", 0, 1,
                             "Segments whose ranges of values no row that the filter lets pass "
                             "can lie in are not opened."});
  }
};

/// Thread-safe. `objects` and `search_pool` must outlive it.
class Node final : public roles::Query {
 public:
  Node(store::ObjectStore& objects, Pool& search_pool, const QueryOptions& options = {});
  ~Node() override;

  Status LoadSegment(Context& ctx, const model::SegmentInfo& segment,
                     const model::CollectionInfo& collection,
                     const std::vector<model::DeltaInfo>& deltas) override;
  Status SetSchema(Context& ctx, CollectionId collection,
                   const model::CollectionSchema& schema) override;
  Status ReleaseSegment(Context& ctx, SegmentId segment) override;
  Status ApplyDeletes(Context& ctx, const std::vector<SegmentId>& segments,
                      const model::Deletes& deletes) override;
  Result<std::vector<model::ServedSegment>> Describe(
      Context& ctx, const std::vector<SegmentId>& segments) override;
  Result<model::PartialHits> Search(Context& ctx, const std::vector<SegmentId>& segments,
                                    const model::ShardSearch& search) override;
  Result<model::TermTotals> CountTerms(Context& ctx, const std::vector<SegmentId>& segments,
                                       FieldId field, const std::vector<uint32_t>& terms) override;
  Result<model::PartialRows> Retrieve(Context& ctx, const std::vector<SegmentId>& segments,
                                      const model::ShardQuery& query) override;

  /// Keys of remote objects that loaded segments, and released ones that are still read, may open
  /// later. Iterators that have been idle for too long read no more.
  std::set<std::string> KeysInUse(Context& ctx);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::query
