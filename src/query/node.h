// A query node: sealed segments in memory or mapped, searched on a pool of one worker a core.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "index/batch.h"
#include "roles/query.h"
#include "segment/fetches.h"
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
  int64_t fetches_max = 16;

  template <class Visitor>
  void Describe(Visitor& visit) {
    batch.Describe(visit);
    cache.Describe(visit);
    load.Describe(visit);
    pages.Describe(visit);
    visit(prunes, OptionSpec{"queryNode.enableSegmentPrune", "", 0, 1,
                             "Segments whose ranges of values no row that the filter lets pass "
                             "can lie in are not opened."});
    visit(fetches_max, OptionSpec{"queryNode.ioPoolSize", "", 1, 256,
                                  "Files that loads fetch from a remote object store at the same "
                                  "time. Files of this machine are opened one after another."});
  }
};

/// Thread-safe. `objects`, `search_pool` and the pool of `fetches` must outlive it.
class Node final : public roles::Query {
 public:
  Node(store::ObjectStore& objects, Pool& search_pool, const QueryOptions& options = {},
       segment::Fetches fetches = {});
  ~Node() override;

  Status LoadSegments(Context& ctx, const std::vector<model::SegmentInfo>& segments,
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
