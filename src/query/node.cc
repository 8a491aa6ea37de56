// A query node.
#include "query/node.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/log.h"
#include "base/machine.h"
#include "expr/expr.h"
#include "segment/page_streams.h"
#include "segment/prune.h"
#include "segment/retrieve.h"
#include "segment/sealed.h"
#include "segment/search.h"
#include "store/formats/delta_log.h"

namespace elanus::query {

struct Node::Impl {
  store::ObjectStore& objects;
  Pool& search_pool;
  const QueryOptions options;
  const std::shared_ptr<segment::PieceCache> cache;
  segment::PageStreams pages;
  mutable std::shared_mutex mutex;  // Guards `segments`; held for look-ups only.
  std::map<SegmentId, std::shared_ptr<segment::Sealed>> segments;

  std::shared_ptr<segment::Sealed> Find(SegmentId id) const {
    std::shared_lock<std::shared_mutex> lock(mutex);
    const auto found = segments.find(id);
    return found == segments.end() ? nullptr : found->second;
  }

  Result<std::vector<std::shared_ptr<const segment::SegmentView>>> Views(
      const std::vector<SegmentId>& ids) const {
    std::vector<std::shared_ptr<const segment::SegmentView>> views;
    std::shared_lock<std::shared_mutex> lock(mutex);
    for (SegmentId id : ids) {
      const auto found = segments.find(id);
      if (found == segments.end()) {
        return Error(ErrorCode::kSegmentNotFound, "{}[segment={}]",
                     InfoOf(ErrorCode::kSegmentNotFound).name, id.value());
      }
      views.push_back(found->second->Snapshot());
    }
    return views;
  }

  // A full queue, or a column that cannot be opened: the first read does it, and tells.
  void WarmLater(Clock& clock, const std::shared_ptr<segment::Sealed>& sealed) {
    const Status queued = search_pool.Submit([&clock, sealed] {
      Context ctx(clock);
      const Status warmed = sealed->Warm(ctx, segment::WarmUp::kAsync);
      if (!warmed.ok()) LogWarn("warming up failed error=\"{}\"", warmed.ToString());
    });
    if (!queued.ok()) LogInfo("not warmed up, too much is waiting");
  }

  void Prune(Context& ctx, const expr::Plan& plan,
             std::vector<std::shared_ptr<const segment::SegmentView>>& views) const {
    if (!options.prunes) return;
    std::erase_if(views, [&](const auto& view) { return segment::CannotMatch(ctx, *view, plan); });
  }

  // A page of an iterator goes on in the streams of the last one.
  Result<std::vector<segment::Found>> SearchPage(
      Context& ctx, const std::vector<std::shared_ptr<const segment::SegmentView>>& views,
      const expr::Plan& plan, const model::ShardSearch& search, Timestamp read_at) {
    std::vector<segment::Found> found(views.size());
    TRY(search_pool.ParallelFor(ctx, views.size(), [&](size_t v) -> Status {
      found[v].segment = views[v];
      TRY_ASSIGN(found[v].hits, pages.Page(ctx, views[v], plan, search, read_at));
      return {};
    }));
    return found;
  }

  // The filter once a segment, then each segment's queries in tasks; one task a segment does both.
  Result<std::vector<segment::Found>> SearchViews(
      Context& ctx, const std::vector<std::shared_ptr<const segment::SegmentView>>& views,
      const expr::Plan& plan, const model::ShardSearch& search, Timestamp read_at) {
    if (segment::PageStreams::Serves(search)) return SearchPage(ctx, views, plan, search, read_at);
    pages.DropIdle(ctx);
    std::vector<segment::Found> found(views.size());
    if (views.empty()) return found;
    const size_t helpers = index::HelpersMax(search_pool, options.batch);
    const size_t nq = search.nq();
    const size_t queries =
        nq == 0 ? 1 : index::QueriesPerTask(search_pool, options.batch, nq, views.size());
    const size_t parts = (nq + queries - 1) / queries;
    std::vector<segment::Allowed> allowed(views.size());
    // A segment that is done with leaves its room in the cache to the next one.
    std::vector<std::atomic<size_t>> parts_left(views.size());
    for (auto& left : parts_left) left = parts;
    const auto answer = [&](size_t v, size_t part) {
      const size_t begin = part * queries;
      Status status = segment::SearchQueries(ctx, *views[v], search, allowed[v], begin,
                                             std::min(queries, nq - begin), found[v].hits);
      if (parts_left[v].fetch_sub(1) == 1) views[v]->Unpin();
      return status;
    };
    TRY(search_pool.ParallelFor(
        ctx, views.size(),
        [&](size_t v) -> Status {
          found[v].segment = views[v];
          found[v].hits = segment::NoHits(search);
          TRY_ASSIGN(allowed[v], segment::SearchableRows(ctx, *views[v], plan, search, read_at));
          return parts == 1 ? answer(v, 0) : Status();
        },
        helpers));
    if (parts <= 1) return found;
    TRY(search_pool.ParallelFor(
        ctx, views.size() * parts, [&](size_t task) { return answer(task / parts, task % parts); },
        helpers));
    return found;
  }
};

Node::Node(store::ObjectStore& objects, Pool& search_pool, const QueryOptions& options)
    : impl_(new Impl{.objects = objects,
                     .search_pool = search_pool,
                     .options = options,
                     .cache = std::make_shared<segment::PieceCache>(options.cache,
                                                                    ReadMemoryUse().total_bytes),
                     .pages = segment::PageStreams(options.pages),
                     .mutex = {},
                     .segments = {}}) {}
Node::~Node() = default;

Status Node::LoadSegment(Context& ctx, const model::SegmentInfo& info,
                         const model::CollectionInfo& collection,
                         const std::vector<model::DeltaInfo>& deltas) {
  std::shared_ptr<segment::Sealed> sealed = impl_->Find(info.id);
  const bool is_new = sealed == nullptr;
  if (is_new) {
    TRY_ASSIGN(
        sealed,
        segment::Sealed::Open(
            ctx, {.objects = impl_->objects, .cache = impl_->cache, .load = impl_->options.load},
            info, collection));
    for (const model::DeltaInfo& delta : deltas) {
      TRY_ASSIGN(const Blob blob, impl_->objects.Open(ctx, delta.key));
      TRY_ASSIGN(const model::Deletes deletes, store::DecodeDeltaLog(blob.bytes(), delta.key));
      sealed->ApplyDeletes(deletes);
    }
  }
  TRY(sealed->SyncIndexes(ctx, info, collection));
  TRY(sealed->Warm(ctx, segment::WarmUp::kSync));
  if (sealed->IsToBeWarmed(segment::WarmUp::kAsync)) impl_->WarmLater(ctx.clock(), sealed);
  if (is_new) {
    std::unique_lock<std::shared_mutex> lock(impl_->mutex);
    impl_->segments.emplace(info.id, std::move(sealed));
  }
  return {};
}

segment::PieceCache::Stats Node::cache_stats() const { return impl_->cache->stats(); }

Status Node::ReleaseSegment(Context&, SegmentId segment) {
  std::shared_ptr<segment::Sealed> released;  // Freed after the lock.
  std::unique_lock<std::shared_mutex> lock(impl_->mutex);
  if (const auto found = impl_->segments.find(segment); found != impl_->segments.end()) {
    released = std::move(found->second);
    impl_->segments.erase(found);
  }
  lock.unlock();
  impl_->pages.Forget(segment);
  return {};
}

Status Node::ApplyDeletes(Context&, const std::vector<SegmentId>& segments,
                          const model::Deletes& deletes) {
  for (SegmentId id : segments) {
    if (const auto sealed = impl_->Find(id)) sealed->ApplyDeletes(deletes);
  }
  return {};
}

Result<model::PartialHits> Node::Search(Context& ctx, const std::vector<SegmentId>& segments,
                                        const model::ShardSearch& search) {
  TRY_ASSIGN(auto views, impl_->Views(segments));
  if (views.empty()) return Status(ErrorCode::kInternal, "a search names no segment");
  const Timestamp read_at =
      search.read.read_at == Timestamp() ? kTimestampMax : search.read.read_at;
  // The schema comes with the segments; all are of one collection.
  const std::shared_ptr<const segment::SegmentView> any = views[0];
  const model::CollectionSchema& schema = any->schema();
  if (!search.read.partitions.empty()) {
    std::erase_if(views, [&](const auto& view) {
      return std::find(search.read.partitions.begin(), search.read.partitions.end(),
                       view->partition()) == search.read.partitions.end();
    });
  }
  TRY_ASSIGN(const expr::Plan plan, expr::Bind(search.read.filter, schema, search.read.templates));
  impl_->Prune(ctx, plan, views);
  TRY_ASSIGN(const auto found, impl_->SearchViews(ctx, views, plan, search, read_at));
  return segment::MergeHits(ctx, found, search, schema, read_at);
}

Result<model::TermTotals> Node::CountTerms(Context&, const std::vector<SegmentId>& segments,
                                           FieldId field, const std::vector<uint32_t>& terms) {
  TRY_ASSIGN(const auto views, impl_->Views(segments));
  model::TermTotals totals;
  totals.with_term.resize(terms.size());
  for (const auto& view : views) view->AddTermTotals(field, terms, totals);
  return totals;
}

Result<model::PartialRows> Node::Retrieve(Context& ctx, const std::vector<SegmentId>& segments,
                                          const model::ShardQuery& query) {
  TRY_ASSIGN(auto views, impl_->Views(segments));
  if (views.empty()) return Status(ErrorCode::kInternal, "a query names no segment");
  const std::shared_ptr<const segment::SegmentView> any = views[0];
  const Timestamp read_at = query.read.read_at == Timestamp() ? kTimestampMax : query.read.read_at;
  if (!query.read.partitions.empty()) {
    std::erase_if(views, [&](const auto& view) {
      return std::find(query.read.partitions.begin(), query.read.partitions.end(),
                       view->partition()) == query.read.partitions.end();
    });
  }
  TRY_ASSIGN(const expr::Plan plan,
             expr::Bind(query.read.filter, any->schema(), query.read.templates));
  impl_->Prune(ctx, plan, views);
  return segment::Retrieve(ctx, views, plan, query, any->schema(), read_at);
}

}  // namespace elanus::query
