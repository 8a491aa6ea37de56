// A query node.
#include "query/node.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/log.h"
#include "base/machine.h"
#include "expr/expr.h"
#include "model/reduce.h"
#include "model/schema_versions.h"
#include "query/metrics.h"
#include "segment/page_streams.h"
#include "segment/prune.h"
#include "segment/retrieve.h"
#include "segment/sealed.h"
#include "segment/search_tasks.h"
#include "segment/segment_step.h"
#include "store/formats/delta_log.h"
#include "store/open_checked.h"

namespace elanus::query {
namespace {

constexpr std::string_view kSearch = "search";
constexpr std::string_view kQuery = "query";

using Views = std::vector<std::shared_ptr<const segment::SegmentView>>;

Timestamp MomentOf(const model::ShardRead& read) {
  return read.read_at == Timestamp() ? kTimestampMax : read.read_at;
}

// Whether files or what they lie on are to blame, not the request.
bool IsDataFault(const Status& status) {
  switch (status.code()) {
    case ErrorCode::kIoFailed:
    case ErrorCode::kIntegrity:
    case ErrorCode::kKeyNotFound:
    case ErrorCode::kSerialization:
    case ErrorCode::kUnexpectedEof:
      return true;
    default:
      return false;
  }
}

// The answer over all views, or those of the views one by one that can be read, where the read may
// do without the others. `read_views` gives the answer over some views.
template <class Answer, class ReadViews>
Result<std::vector<Answer>> ReadReadable(Context& ctx, const model::ShardRead& read,
                                         std::string_view type, const Views& views,
                                         ReadViews read_views) {
  Result<Answer> whole = read_views(views);
  std::vector<Answer> parts;
  if (whole.ok()) {
    parts.push_back(std::move(whole).value());
    return parts;
  }
  Status fault = whole.status();
  if (!IsDataFault(fault) || read.data_ratio_min >= 1) return fault;
  size_t rows = 0;
  size_t rows_read = 0;
  for (const auto& view : views) {
    TRY(ctx.CheckAlive());
    rows += view->rows();
    Result<Answer> part = read_views(Views{view});
    if (part.ok()) {
      parts.push_back(std::move(part).value());
      rows_read += view->rows();
      continue;
    }
    if (!IsDataFault(part.status())) return part.status();
    fault = part.status();
    LogWarn("a read goes without a segment segment={} rows={} error=\"{}\"", view->id().value(),
            view->rows(), fault.ToString());
  }
  const bool is_enough = !parts.empty() && static_cast<double>(rows_read) >=
                                               read.data_ratio_min * static_cast<double>(rows);
  if (!is_enough) return fault;
  CountPartial(type, read.collection);
  return parts;
}

// Leaves the segments of the partitions that the read names; all where it names none.
void KeepPartitions(const model::ShardRead& read, Views& views) {
  if (read.partitions.empty()) return;
  std::erase_if(views, [&](const auto& view) {
    return std::find(read.partitions.begin(), read.partitions.end(), view->partition()) ==
           read.partitions.end();
  });
}

}  // namespace

struct Node::Impl {
  store::ObjectStore& objects;
  Pool& search_pool;
  const QueryOptions options;
  const segment::Fetches fetches;
  const std::shared_ptr<segment::PieceCache> cache;
  const std::shared_ptr<segment::KeysInUse> keys;
  segment::PageStreams pages;
  mutable std::shared_mutex mutex;   // Guards what follows; held for look-ups only.
  std::shared_ptr<Context> warming;  // Of what warms up behind a load; cancelled at the end.
  struct Loaded {
    std::shared_ptr<segment::Sealed> sealed;
    CollectionId collection;
    model::SegmentInfo info;  // With the indexes it has here.
  };
  std::map<SegmentId, Loaded> segments;
  /// What segments of one collection share.
  struct Shared {
    std::shared_ptr<const model::SchemaVersions> schemas;
    std::shared_ptr<segment::Fillers> fillers = std::make_shared<segment::Fillers>();
    size_t segments = 0;  // How many of them are listed.
  };
  std::map<CollectionId, Shared> collections;  // That have segments here, or get their first.

  // Takes note of a version of the collection's schema. Under the mutex.
  Shared& Learn(CollectionId id, const model::CollectionSchema& schema) {
    Shared& shared = collections[id];
    auto known = std::make_shared<const model::CollectionSchema>(schema);
    shared.schemas = std::make_shared<const model::SchemaVersions>(
        shared.schemas == nullptr ? model::SchemaVersions(std::move(known))
                                  : shared.schemas->With(std::move(known)));
    return shared;
  }

  std::shared_ptr<segment::Sealed> Find(SegmentId id) const {
    std::shared_lock<std::shared_mutex> lock(mutex);
    const auto found = segments.find(id);
    return found == segments.end() ? nullptr : found->second.sealed;
  }

  // Forgets a collection that has no segments here. Under the mutex.
  bool ForgetUnused(CollectionId id) {
    const auto known = collections.find(id);
    if (known == collections.end() || known->second.segments > 0) return false;
    collections.erase(known);
    return true;
  }

  // A segment that is being loaded.
  struct Loading {
    const model::SegmentInfo* info;
    std::shared_ptr<segment::Sealed> sealed;
    bool is_new = false;
  };
  Status Open(Context& ctx, std::vector<Loading>& all, const model::CollectionInfo& collection,
              const std::vector<model::DeltaInfo>& deltas);
  Status Publish(const Loading& loading, const model::CollectionInfo& collection);
  Status Load(Context& ctx, const std::vector<model::SegmentInfo>& infos,
              const model::CollectionInfo& collection, const std::vector<model::DeltaInfo>& deltas);

  // Of the schema that the request was checked against. A page of an iterator also finds segments
  // that were released since its first one.
  Result<Views> ViewsOf(Context& ctx, const std::vector<SegmentId>& ids,
                        const model::ShardRead& read, const model::ShardSearch* search = nullptr) {
    Views views;
    std::shared_lock<std::shared_mutex> lock(mutex);
    const auto shared = collections.find(read.collection);
    std::shared_ptr<const model::CollectionSchema> schema;
    if (shared != collections.end()) schema = shared->second.schemas->At(read.schema_version);
    // The streams of an iterator keep their views for its next page, which somebody else asks for.
    const bool are_kept = search != nullptr && segment::PageStreams::Serves(*search);
    const Context* caller = are_kept ? nullptr : &ctx;
    for (SegmentId id : ids) {
      const auto found = segments.find(id);
      if (found == segments.end()) {
        auto kept = search == nullptr ? nullptr : pages.SegmentOf(ctx, *search, id);
        if (kept != nullptr) {
          views.push_back(std::move(kept));
          continue;
        }
        return Error(ErrorCode::kSegmentNotFound, "{}[segment={}]",
                     InfoOf(ErrorCode::kSegmentNotFound).name, id.value());
      }
      const segment::Sealed& sealed = *found->second.sealed;
      views.push_back(schema == nullptr ? sealed.Snapshot(caller)
                                        : sealed.Snapshot(schema, caller));
    }
    return views;
  }

  // A full queue, or a column that cannot be opened: the first read does it, and tells.
  void WarmLater(Clock& clock, std::vector<std::shared_ptr<segment::Sealed>> opened) {
    {
      std::unique_lock<std::shared_mutex> lock(mutex);
      if (warming == nullptr) warming = std::make_shared<Context>(clock);
    }
    const Status queued =
        search_pool.Submit([warming = warming, fetches = fetches, opened = std::move(opened)] {
          const Status warmed =
              segment::Sealed::Warm(*warming, opened, segment::WarmUp::kAsync, fetches);
          if (!warmed.ok() && warmed.code() != ErrorCode::kCanceled)
            LogWarn("warming up failed error=\"{}\"", warmed.ToString());
        });
    if (!queued.ok()) LogInfo("not warmed up, too much is waiting");
  }

  void Prune(Context& ctx, const expr::Plan& plan, Views& views) const {
    if (!options.prunes || plan.always_true()) return;
    std::erase_if(views, [&](const auto& view) {
      if (!segment::CannotMatch(ctx, *view, plan)) return false;
      ProfileStep step(ctx, "segment");
      segment::SaySegment(step, *view);
      step.Says("pruned", "no value that its ranges allow passes the filter");
      return true;
    });
  }

  // A page of an iterator goes on in the streams of the last one.
  Result<std::vector<segment::Found>> SearchPage(Context& ctx, const Views& views,
                                                 const expr::Plan& plan,
                                                 const model::ShardSearch& search,
                                                 Timestamp read_at) {
    const segment::PageSearch page{search, plan, read_at};
    std::vector<segment::Found> found(views.size());
    TRY(search_pool.ParallelFor(ctx, views.size(), [&](size_t v) -> Status {
      found[v].segment = views[v];
      ProfileStep step(ctx, "segment");
      segment::SaySegment(step, *views[v]);
      const model::IteratorCursor& cursor = *search.cursor;
      const segment::PagePlace place{.place = cursor.place + v * cursor.place_step,
                                     .places = cursor.places};
      TRY_ASSIGN(found[v].hits, pages.Page(step.ctx(), views[v], page, place));
      return {};
    }));
    return found;
  }

  Result<std::vector<segment::Found>> SearchViews(Context& ctx, const Views& views,
                                                  const expr::Plan& plan,
                                                  const model::ShardSearch& search,
                                                  Timestamp read_at) {
    if (segment::PageStreams::Serves(search)) return SearchPage(ctx, views, plan, search, read_at);
    pages.DropIdle(ctx);
    return segment::SearchSegments(ctx, Threads(), views, plan, search, read_at);
  }

  segment::SearchThreads Threads() { return {.pool = &search_pool, .batch = options.batch}; }
};

Node::Node(store::ObjectStore& objects, Pool& search_pool, const QueryOptions& options,
           segment::Fetches fetches)
    : impl_(new Impl{.objects = objects,
                     .search_pool = search_pool,
                     .options = options,
                     .fetches = fetches,
                     .cache = std::make_shared<segment::PieceCache>(options.cache,
                                                                    ReadMemoryUse().total_bytes),
                     .keys = std::make_shared<segment::KeysInUse>(),
                     .pages = segment::PageStreams(options.pages),
                     .mutex = {},
                     .warming = {},
                     .segments = {},
                     .collections = {}}) {}
Node::~Node() {
  if (impl_->warming != nullptr) impl_->warming->Cancel();
}

// Opens those that are not, with the deletes of the delta logs.
Status Node::Impl::Open(Context& ctx, std::vector<Loading>& all,
                        const model::CollectionInfo& collection,
                        const std::vector<model::DeltaInfo>& deltas) {
  segment::SealedParts sealed_parts{.objects = objects,
                                    .cache = cache,
                                    .load = options.load,
                                    .fillers = {},
                                    .keys = keys,
                                    .fetches = fetches};
  {
    std::unique_lock<std::shared_mutex> lock(mutex);
    sealed_parts.fillers = Learn(collection.id, collection.schema).fillers;
  }
  std::vector<Loading*> missing;
  for (Loading& loading : all) {
    if (loading.is_new) missing.push_back(&loading);
  }
  if (missing.empty()) return {};
  std::vector<model::Deletes> deletes(deltas.size());
  TRY(fetches.ForEach(ctx, deltas.size(), [&](Context& part, size_t i) -> Status {
    const std::string& key = deltas[i].key;
    TRY_ASSIGN(deletes[i], store::OpenChecked(part, objects, key, [&](const Blob& blob) {
                 return store::DecodeDeltaLog(blob.bytes(), key);
               }));
    return {};
  }));
  return fetches.ForEach(ctx, missing.size(), [&](Context& part, size_t i) -> Status {
    TRY_ASSIGN(auto sealed,
               segment::Sealed::Open(part, sealed_parts, *missing[i]->info, collection));
    for (const model::Deletes& some : deletes) sealed->ApplyDeletes(some);
    missing[i]->sealed = std::move(sealed);
    return {};
  });
}

// Lists a segment that is loaded.
Status Node::Impl::Publish(const Loading& loading, const model::CollectionInfo& collection) {
  const model::SegmentInfo& info = *loading.info;
  // Together, so that a schema that comes meanwhile reaches the segment here or there.
  std::shared_ptr<const model::CollectionSchema> newest;
  {
    std::unique_lock<std::shared_mutex> lock(mutex);
    if (!loading.is_new && segments.count(info.id) == 0) {
      return Error(ErrorCode::kSegmentNotFound, "released while it was loaded again[segment={}]",
                   info.id.value());
    }
    Shared& shared = Learn(collection.id, collection.schema);
    if (!loading.is_new) {
      segments.at(info.id).info = info;
    } else if (segments
                   .insert_or_assign(
                       info.id,
                       Loaded{.sealed = loading.sealed, .collection = collection.id, .info = info})
                   .second) {
      ++shared.segments;
    }
    newest = shared.schemas->newest();
  }
  loading.sealed->SetSchema(*newest);
  return {};
}

Status Node::Impl::Load(Context& ctx, const std::vector<model::SegmentInfo>& infos,
                        const model::CollectionInfo& collection,
                        const std::vector<model::DeltaInfo>& deltas) {
  std::vector<Loading> all;
  for (const model::SegmentInfo& info : infos) {
    std::shared_ptr<segment::Sealed> sealed = Find(info.id);
    // A mapped file of it had failed: a release and a load that follow each other closely come as
    // this call alone, and the file may have been put back.
    if (sealed != nullptr && !sealed->Snapshot()->CheckFiles().ok()) sealed = nullptr;
    const bool is_new = sealed == nullptr;
    all.push_back({.info = &info, .sealed = std::move(sealed), .is_new = is_new});
  }
  Status opened = Open(ctx, all, collection, deltas);
  // Those that are open by now need not be opened again when it is tried again.
  if (!opened.ok()) std::erase_if(all, [](const Loading& l) { return l.sealed == nullptr; });
  std::vector<std::shared_ptr<segment::Sealed>> sealed;
  for (const Loading& loading : all) {
    TRY(loading.sealed->SyncIndexes(ctx, *loading.info, collection));
    sealed.push_back(loading.sealed);
  }
  if (opened.ok()) {
    TRY(segment::Sealed::Warm(ctx, sealed, segment::WarmUp::kSync, fetches));
    std::erase_if(sealed, [](const auto& s) { return !s->IsToBeWarmed(segment::WarmUp::kAsync); });
    if (!sealed.empty()) WarmLater(ctx.clock(), std::move(sealed));
  }
  for (const Loading& loading : all) TRY(Publish(loading, collection));
  return opened;
}

Status Node::LoadSegments(Context& ctx, const std::vector<model::SegmentInfo>& segments,
                          const model::CollectionInfo& collection,
                          const std::vector<model::DeltaInfo>& deltas) {
  const int64_t begin_us = ctx.clock().MonotonicUs();
  Status loaded = impl_->Load(ctx, segments, collection, deltas);
  for (size_t i = 0; i < segments.size(); ++i) CountLoad(ctx.clock().MonotonicUs() - begin_us);
  if (loaded.ok()) return loaded;
  std::unique_lock<std::shared_mutex> lock(impl_->mutex);
  impl_->ForgetUnused(collection.id);
  return loaded;
}

std::set<std::string> Node::KeysInUse(Context& ctx) {
  impl_->pages.DropIdle(ctx);
  return impl_->keys->List();
}

Status Node::SetSchema(Context&, CollectionId collection, const model::CollectionSchema& schema) {
  std::vector<std::shared_ptr<segment::Sealed>> open;
  {
    std::unique_lock<std::shared_mutex> lock(impl_->mutex);
    if (impl_->collections.count(collection) == 0) return {};
    impl_->Learn(collection, schema);
    for (const auto& [id, loaded] : impl_->segments) {
      if (loaded.collection == collection) open.push_back(loaded.sealed);
    }
  }
  for (const auto& sealed : open) sealed->SetSchema(schema);
  return {};
}

Status Node::ReleaseSegment(Context&, SegmentId segment) {
  Impl::Loaded released;  // Freed after the lock.
  std::unique_lock<std::shared_mutex> lock(impl_->mutex);
  const auto found = impl_->segments.find(segment);
  if (found == impl_->segments.end()) return {};
  released = std::move(found->second);
  impl_->segments.erase(found);
  --impl_->collections[released.collection].segments;
  const bool was_last = impl_->ForgetUnused(released.collection);
  lock.unlock();
  if (was_last) impl_->pages.Forget(released.collection);
  return {};
}

Status Node::ApplyDeletes(Context&, const std::vector<SegmentId>& segments,
                          const model::Deletes& deletes) {
  for (SegmentId id : segments) {
    if (const auto sealed = impl_->Find(id)) sealed->ApplyDeletes(deletes);
  }
  return {};
}

Result<std::vector<model::ServedSegment>> Node::Describe(Context&,
                                                         const std::vector<SegmentId>& segments) {
  std::vector<model::ServedSegment> served;
  std::vector<std::shared_ptr<segment::Sealed>> open;
  {
    std::shared_lock<std::shared_mutex> lock(impl_->mutex);
    for (SegmentId id : segments) {
      const auto found = impl_->segments.find(id);
      if (found == impl_->segments.end()) continue;
      served.push_back({.info = found->second.info});
      open.push_back(found->second.sealed);
    }
  }
  for (size_t i = 0; i < open.size(); ++i) served[i].memory_bytes = open[i]->CountMemory();
  return served;
}

Result<model::PartialHits> Node::Search(Context& ctx, const std::vector<SegmentId>& segments,
                                        const model::ShardSearch& search) {
  ProfileStep step(ctx, "sealed segments");
  TRY_ASSIGN(auto views, impl_->ViewsOf(ctx, segments, search.read, &search));
  if (views.empty()) return Status(ErrorCode::kInternal, "a search names no segment");
  const Timestamp read_at = MomentOf(search.read);
  // The schema comes with the segments; all are of one collection.
  const std::shared_ptr<const segment::SegmentView> any = views[0];
  const model::CollectionSchema& schema = any->schema();
  KeepPartitions(search.read, views);
  TRY_ASSIGN(const expr::Plan plan,
             expr::Bind(search.read.filter, schema, search.read.templates, search.read.timezone));
  impl_->Prune(step.ctx(), plan, views);
  const auto search_views = [&](const Views& some) -> Result<model::PartialHits> {
    const int64_t begin_us = ctx.clock().MonotonicUs();
    TRY_ASSIGN(const auto found, impl_->SearchViews(step.ctx(), some, plan, search, read_at));
    const int64_t found_us = ctx.clock().MonotonicUs();
    CountCore(kSearch, found_us - begin_us);
    ProfileStep merge(step.ctx(), "merge and read output fields");
    auto hits = segment::MergeHits(merge.ctx(), found, search, schema, read_at);
    CountReduce(kSearch, ctx.clock().MonotonicUs() - found_us);
    return hits;
  };
  // The streams of an iterator go on where the last page ended, in all segments.
  if (segment::PageStreams::Serves(search)) return search_views(views);
  TRY_ASSIGN(auto parts, ReadReadable<model::PartialHits>(step.ctx(), search.read, kSearch, views,
                                                          search_views));
  if (parts.size() == 1) return std::move(parts[0]);
  return model::ReduceHits(parts, search);
}

Result<model::TermTotals> Node::CountTerms(Context& ctx, const std::vector<SegmentId>& segments,
                                           FieldId field, const std::vector<uint32_t>& terms) {
  TRY_ASSIGN(const auto views, impl_->ViewsOf(ctx, segments, model::ShardRead()));
  model::TermTotals totals;
  totals.with_term.resize(terms.size());
  for (const auto& view : views) view->AddTermTotals(field, terms, totals);
  return totals;
}

Result<model::PartialRows> Node::Retrieve(Context& ctx, const std::vector<SegmentId>& segments,
                                          const model::ShardQuery& query) {
  ProfileStep step(ctx, "sealed segments");
  TRY_ASSIGN(auto views, impl_->ViewsOf(ctx, segments, query.read));
  if (views.empty()) return Status(ErrorCode::kInternal, "a query names no segment");
  const std::shared_ptr<const segment::SegmentView> any = views[0];
  KeepPartitions(query.read, views);
  TRY_ASSIGN(const expr::Plan plan, expr::Bind(query.read.filter, any->schema(),
                                               query.read.templates, query.read.timezone));
  impl_->Prune(step.ctx(), plan, views);
  const auto read_views = [&](const Views& some) {
    const int64_t begin_us = ctx.clock().MonotonicUs();
    auto rows = segment::Retrieve(step.ctx(), impl_->Threads(), some, plan, query, any->schema(),
                                  MomentOf(query.read));
    CountCore(kQuery, ctx.clock().MonotonicUs() - begin_us);
    return rows;
  };
  TRY_ASSIGN(auto parts,
             ReadReadable<model::PartialRows>(step.ctx(), query.read, kQuery, views, read_views));
  if (parts.size() == 1) return std::move(parts[0]);
  return model::ReduceRows(parts, query);
}

}  // namespace elanus::query
