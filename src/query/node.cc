// A query node.
#include "query/node.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/log.h"
#include "expr/expr.h"
#include "segment/retrieve.h"
#include "segment/sealed.h"
#include "segment/search.h"
#include "store/formats/delta_log.h"

namespace elanus::query {

struct Node::Impl {
  store::ObjectStore& objects;
  Pool& search_pool;
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
};

Node::Node(store::ObjectStore& objects, Pool& search_pool)
    : impl_(new Impl{.objects = objects, .search_pool = search_pool, .mutex = {}, .segments = {}}) {
}
Node::~Node() = default;

Status Node::LoadSegment(Context& ctx, const model::SegmentInfo& info,
                         const model::CollectionInfo& collection,
                         const std::vector<model::DeltaInfo>& deltas) {
  std::shared_ptr<segment::Sealed> sealed = impl_->Find(info.id);
  const bool is_new = sealed == nullptr;
  if (is_new) {
    TRY_ASSIGN(sealed, segment::Sealed::Open(
                           ctx, impl_->objects, info,
                           std::make_shared<const model::CollectionSchema>(collection.schema)));
    for (const model::DeltaInfo& delta : deltas) {
      TRY_ASSIGN(const Blob blob, impl_->objects.Open(ctx, delta.key));
      TRY_ASSIGN(const model::Deletes deletes, store::DecodeDeltaLog(blob.bytes(), delta.key));
      sealed->ApplyDeletes(deletes);
    }
  }
  TRY(sealed->SyncIndexes(ctx, impl_->objects, info, collection));
  if (is_new) {
    std::unique_lock<std::shared_mutex> lock(impl_->mutex);
    impl_->segments.emplace(info.id, std::move(sealed));
  }
  return {};
}

Status Node::ReleaseSegment(Context&, SegmentId segment) {
  std::shared_ptr<segment::Sealed> released;  // Freed after the lock.
  std::unique_lock<std::shared_mutex> lock(impl_->mutex);
  if (const auto found = impl_->segments.find(segment); found != impl_->segments.end()) {
    released = std::move(found->second);
    impl_->segments.erase(found);
  }
  lock.unlock();
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
  std::vector<segment::Found> found(views.size());
  TRY(impl_->search_pool.ParallelFor(ctx, views.size(), [&](size_t i) -> Status {
    TRY_ASSIGN(found[i].hits, segment::Search(ctx, *views[i], plan, search, read_at));
    found[i].segment = views[i];
    return {};
  }));
  return segment::MergeHits(found, search, schema, read_at);
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
  return segment::Retrieve(ctx, views, plan, query, any->schema(), read_at);
}

}  // namespace elanus::query
