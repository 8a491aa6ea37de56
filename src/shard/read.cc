// Reads of a shard.
#include "shard/read.h"

#include <algorithm>

#include "expr/expr.h"
#include "model/reduce.h"
#include "model/time_to_live.h"
#include "segment/retrieve.h"
#include "segment/search_tasks.h"
#include "segment/segment_step.h"
#include "shard/metrics.h"
#include "shard/ordered_rows.h"
#include "shard/weigh_terms.h"

namespace elanus::shard {
namespace {

constexpr std::string_view kSearch = "search";
constexpr std::string_view kQuery = "query";

struct Scope {
  std::shared_ptr<const State> state;
  std::shared_ptr<const model::CollectionSchema> schema;  // That the request was checked against.
  Timestamp read_at;
  std::vector<std::shared_ptr<const segment::SegmentView>> fresh;
  const std::vector<SegmentId>* loaded = nullptr;  // Of the state, or of the first page.
  // Of a page of an iterator:
  uint64_t fresh_place = 0;  // Of the first fresh segment, see segment::PagePlace.
};

bool Wanted(const model::ShardRead& read, const model::CollectionInfo& collection,
            PartitionId partition) {
  if (read.partitions.empty()) return collection.IsLoaded(partition);
  return std::find(read.partitions.begin(), read.partitions.end(), partition) !=
         read.partitions.end();
}

// Puts the moment into the read, one for both halves of the shard: an upsert is seen whole or not
// at all.
Result<Scope> Open(Context& ctx, Shard& shard, model::ShardRead& read, std::string_view type,
                   const ReadOptions& options) {
  Scope scope;
  ProfileStep wait(ctx, "wait for the guarantee");
  const int64_t begin_us = ctx.clock().MonotonicUs();
  TRY_ASSIGN(const Timestamp now, shard.WaitFor(ctx, read.guarantee));
  CountWait(type, ctx.clock().MonotonicUs() - begin_us);
  wait.End();
  scope.state = shard.Read();
  scope.loaded = &scope.state->loaded;
  scope.schema = scope.state->schemas->At(read.schema_version);
  const model::CollectionInfo& collection = *scope.state->collection;
  if (!collection.loaded) {
    return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotLoaded).name, collection.schema.name);
  }
  if (!scope.state->readable) {
    return Error(ErrorCode::kCollectionNotFullyLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotFullyLoaded).name, collection.schema.name);
  }
  scope.read_at = read.read_at == Timestamp() ? now : read.read_at;
  // Time goes on without writes, so not the moment of the newest one. The pages of an iterator
  // agree on what has expired by their moment, the time of the first; a request that reads twice
  // says by its guarantee what time it is, which its moment may be long before.
  const int64_t now_ms = read.read_at == Timestamp()
                             ? ctx.clock().NowMs()
                             : PhysicalMs(std::max(read.read_at, read.guarantee));
  read.read_at = scope.read_at;
  read.expired_before = model::ExpiredBefore(
      collection.properties, {.now_ms = now_ms, .default_s = options.entity_expiration_s});
  read.expiry_field = model::ExpiryField(collection.properties, collection.schema);
  read.expiry_us = now_ms * 1000;
  if (!read.ignore_growing) {
    for (const auto& growing : scope.state->fresh) {
      if (Wanted(read, collection, growing->partition())) {
        auto view = growing->Snapshot(scope.schema);
        if (view->rows() > 0) scope.fresh.push_back(std::move(view));
      }
    }
  }
  return scope;
}

bool KeepsPages(const Shard& shard, const model::ShardSearch& search) {
  return shard.pages() != nullptr && segment::PageStreams::Serves(search);
}

Result<model::PartialHits> SearchScope(Context& ctx, const Scope& scope, const Shard& shard,
                                       roles::Query& query, const model::ShardSearch& search) {
  const model::CollectionSchema& schema = *scope.schema;
  std::vector<model::PartialHits> parts;
  if (!scope.loaded->empty()) {
    TRY_ASSIGN(model::PartialHits part, query.Search(ctx, *scope.loaded, search));
    parts.push_back(std::move(part));
  }
  if (!scope.fresh.empty() || parts.empty()) {
    ProfileStep step(ctx, "growing segments");
    TRY_ASSIGN(const expr::Plan plan,
               expr::Bind(search.read.filter, schema, search.read.templates, search.read.timezone));
    std::vector<segment::Found> found;
    if (KeepsPages(shard, search)) {
      const segment::PageSearch page{search, plan, scope.read_at};
      segment::PagePlace place{.place = scope.fresh_place, .places = search.cursor->places};
      for (const auto& view : scope.fresh) {
        ProfileStep one(step.ctx(), "segment");
        segment::SaySegment(one, *view);
        TRY_ASSIGN(segment::SegmentHits hits,
                   shard.pages()->streams.Page(one.ctx(), view, page, place));
        found.push_back({view, std::move(hits)});
        place.place += search.cursor->place_step;
      }
    } else {
      TRY_ASSIGN(found, segment::SearchSegments(step.ctx(), shard.threads(), scope.fresh, plan,
                                                search, scope.read_at));
    }
    ProfileStep merge(step.ctx(), "merge and read output fields");
    TRY_ASSIGN(model::PartialHits part,
               segment::MergeHits(merge.ctx(), found, search, schema, scope.read_at));
    parts.push_back(std::move(part));
  }
  if (parts.size() == 1) {
    parts[0].read_at = scope.read_at;
    return std::move(parts[0]);
  }
  model::PartialHits reduced = model::ReduceHits(parts, search);
  reduced.read_at = scope.read_at;
  return reduced;
}

// Places no two segments of the collection have in common: a shard's are its own number and those
// that lie a multiple of the number of shards further.
void SetPlaces(Scope& scope, const Shard& shard, model::IteratorCursor& cursor) {
  const std::vector<std::string>& shards = scope.state->collection->vchannels;
  const auto number = std::find(shards.begin(), shards.end(), shard.vchannel()) - shards.begin();
  cursor.place_step = std::max<uint64_t>(1, shards.size());
  cursor.places =
      cursor.place_step * std::max<uint64_t>(1, scope.loaded->size() + scope.fresh.size());
  cursor.place = static_cast<uint64_t>(number);
  scope.fresh_place = cursor.place + scope.loaded->size() * cursor.place_step;
}

// A page of an iterator: in the segments that its first page was searched in, while they are kept.
Result<model::PartialHits> SearchPage(Context& ctx, Scope& scope, Shard& shard, roles::Query& query,
                                      const model::ShardSearch& search) {
  auto& scopes = shard.pages()->scopes;
  const Pages::Key key(segment::NameOfPages(search), shard.vchannel());
  std::shared_ptr<const PageScope> kept = scopes.Find(key, ctx.clock().NowMs());
  if (kept == nullptr || kept->truncations != scope.state->truncations) {
    PageScope first{.fresh = scope.fresh,
                    .loaded = *scope.loaded,
                    .truncations = scope.state->truncations,
                    .search = search};
    if (search.metric == model::Metric::kBm25) {
      TRY(WeighTerms(ctx, *scope.state, query, first.search));
    }
    kept = std::make_shared<const PageScope>(std::move(first));
    if (!key.first.empty()) scopes.Put(key, kept, ctx.clock().NowMs());
  }
  scope.fresh = kept->fresh;
  scope.loaded = &kept->loaded;
  model::ShardSearch page = kept->search;
  page.k = search.k;
  page.cursor = search.cursor;
  page.cursor->token = key.first;
  SetPlaces(scope, shard, *page.cursor);
  Result<model::PartialHits> hits = SearchScope(ctx, scope, shard, query, page);
  // A stream was let go of, and its segment is gone: the next attempt takes those of now.
  if (hits.status().code() == ErrorCode::kSegmentNotFound) scopes.Take(key);
  return hits;
}

Result<model::PartialHits> SearchOnce(Context& ctx, Shard& shard, roles::Query& query,
                                      const ReadOptions& options, model::ShardSearch& search) {
  TRY_ASSIGN(Scope scope, Open(ctx, shard, search.read, kSearch, options));
  if (KeepsPages(shard, search)) return SearchPage(ctx, scope, shard, query, search);
  if (search.metric != model::Metric::kBm25) return SearchScope(ctx, scope, shard, query, search);
  model::ShardSearch weighed = search;  // The next attempt begins with the counts.
  TRY(WeighTerms(ctx, *scope.state, query, weighed));
  return SearchScope(ctx, scope, shard, query, weighed);
}

Result<model::PartialRows> QueryOnce(Context& ctx, Shard& shard, roles::Query& query,
                                     const ReadOptions& options, model::ShardQuery& request) {
  TRY_ASSIGN(const Scope scope, Open(ctx, shard, request.read, kQuery, options));
  const model::CollectionSchema& schema = *scope.schema;
  std::vector<RowsReader> readers;
  if (!scope.state->loaded.empty()) {
    readers.push_back([&](const model::ShardQuery& one) {
      return query.Retrieve(ctx, scope.state->loaded, one);
    });
  }
  if (!scope.fresh.empty() || readers.empty()) {
    readers.push_back([&](const model::ShardQuery& one) -> Result<model::PartialRows> {
      ProfileStep step(ctx, "growing segments");
      TRY_ASSIGN(const expr::Plan plan,
                 expr::Bind(one.read.filter, schema, one.read.templates, one.read.timezone));
      return segment::Retrieve(step.ctx(), shard.threads(), scope.fresh, plan, one, schema,
                               scope.read_at);
    });
  }
  TRY_ASSIGN(auto parts, ReadParts(ctx, readers, request, schema));
  model::PartialRows reduced;
  if (parts.size() == 1) {
    reduced = std::move(parts[0]);
  } else {
    TRY_ASSIGN(reduced, model::ReduceRows(parts, request));
  }
  reduced.read_at = scope.read_at;
  return reduced;
}

// A segment may leave its node between the look at the state and the read; the next state knows.
constexpr int kAttempts = 3;

template <class Request, class Answer>
Result<Answer> WithFreshState(Context& ctx, Shard& shard, roles::Query& query,
                              const ReadOptions& options, std::string_view type, Request request,
                              Result<Answer> (*once)(Context&, Shard&, roles::Query&,
                                                     const ReadOptions&, Request&)) {
  const int64_t begin_us = ctx.clock().MonotonicUs();
  const Timestamp asked = request.read.read_at;
  ProfileStep step(ctx, "shard");
  step.Says("channel", shard.vchannel());
  for (int attempt = 1;; ++attempt) {
    request.read.read_at = asked;
    Result<Answer> answer = once(step.ctx(), shard, query, options, request);
    const bool moved = answer.status().code() == ErrorCode::kSegmentNotFound;
    if (moved && attempt < kAttempts) continue;
    CountRead(type, answer.status(), ctx.clock().MonotonicUs() - begin_us);
    if (attempt > 1) step.Says("attempts", attempt);
    if (answer.ok()) step.Says("read_at", answer->read_at.value());
    return answer;
  }
}

}  // namespace

Result<model::PartialHits> Search(Context& ctx, Shard& shard, roles::Query& query,
                                  model::ShardSearch search, const ReadOptions& options) {
  TRY(shard.WaitLoaded(ctx, options.load_wait_ms));
  CountSearch(search.nq(), search.k);
  return WithFreshState(ctx, shard, query, options, kSearch, std::move(search), SearchOnce);
}

Result<model::TermTotals> CountSearched(Context& ctx, Shard& shard, roles::Query& query,
                                        const model::ShardSearch& search,
                                        const ReadOptions& options) {
  TRY(shard.WaitLoaded(ctx, options.load_wait_ms));
  TRY(shard.WaitFor(ctx, search.read.guarantee).status());
  for (int attempt = 1;; ++attempt) {
    Result<model::TermTotals> totals = CountTerms(ctx, *shard.Read(), query, search);
    const bool moved = totals.status().code() == ErrorCode::kSegmentNotFound;
    if (!moved || attempt == kAttempts) return totals;
  }
}

Result<model::PartialRows> Query(Context& ctx, Shard& shard, roles::Query& query,
                                 model::ShardQuery request, const ReadOptions& options) {
  TRY(shard.WaitLoaded(ctx, options.load_wait_ms));
  return WithFreshState(ctx, shard, query, options, kQuery, std::move(request), QueryOnce);
}

}  // namespace elanus::shard
