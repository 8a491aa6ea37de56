// Search.
#include <algorithm>
#include <atomic>
#include <limits>

#include "model/reduce.h"
#include "proxy/checks.h"
#include "proxy/collection_limits.h"
#include "proxy/consistency.h"
#include "proxy/functions.h"
#include "proxy/metrics.h"
#include "proxy/ops.h"
#include "proxy/ops/search_chain.h"
#include "proxy/ops/search_finish.h"
#include "proxy/ops/search_plan.h"
#include "proxy/read_report.h"
#include "proxy/rerank/fusion.h"
#include "proxy/slow_log.h"

namespace elanus::proxy {
namespace {

// What is done with the hits once the shards have given them.
struct Finish {
  OutputFields output;
  Ranker ranker;
  ChainPlan chains;
  std::vector<OrderTerm> order;
  std::vector<FieldId> fields;   // To read: of the output first, then what ranking and order need.
  bool larger_is_better = true;  // Of the scores in the end.
};

Result<Finish> PlanFinish(const model::CollectionSchema& schema,
                          const model::SearchRequest& request, OutputFields output,
                          const SearchParams& params) {
  Finish finish;
  finish.output = std::move(output);
  finish.fields = finish.output.ids;
  if (request.function_score) {
    TRY_ASSIGN(finish.ranker, ResolveRanker(*request.function_score, schema, 1));
    if (!finish.ranker.boosting.boosts.empty() && (params.group.is_on() || params.iterator))
      return Invalid("don't support use segment scorer with group_by or search_iterator");
    if (params.iterator) return Invalid("rerank functions cannot be used with an iterator");
    if (finish.ranker.kind == Ranker::Kind::kDecay)
      AddFields({finish.ranker.decay.field->id}, finish.fields);
    if (finish.ranker.kind == Ranker::Kind::kModel)
      AddFields({finish.ranker.model.field->id}, finish.fields);
  }
  if (!params.order_by.empty()) {
    TRY_ASSIGN(finish.order, ParseOrderBy(params.order_by, schema, /*takes_json=*/true));
    for (const OrderTerm& term : finish.order) AddFields({term.order.field}, finish.fields);
  }
  return finish;
}

// The hits ranked, ordered and cut.
Result<model::PartialHits> FinishHits(Context& ctx, Services& services, const SearchPlan& plan,
                                      Finish& finish, model::PartialHits hits) {
  finish.larger_is_better = model::LargerIsBetter(plan.search.metric);
  const bool stays = finish.ranker.kind == Ranker::Kind::kNone && !finish.chains.merged &&
                     finish.order.empty() && plan.params.offset == 0;
  if (stays) return hits;
  std::vector<std::vector<uint32_t>> places;
  if (finish.ranker.kind == Ranker::Kind::kNone) {
    places = PlacesOf(hits);
  } else {
    const Path path{.hits = &hits, .metric = plan.search.metric};
    // One path: its hits keep their places.
    FusedHits fused = Fuse(finish.ranker, {&path, 1}, plan.search.repeats_keys());
    if (finish.ranker.kind == Ranker::Kind::kDecay) {
      const Decay& decay = finish.ranker.decay;
      ApplyDecay(decay, ColumnOf(hits, decay.field->id)->view(), fused.hits.scores);
    }
    if (finish.ranker.kind == Ranker::Kind::kModel) {
      const ModelRank& rank = finish.ranker.model;
      TRY(ApplyModel(ctx, services, rank, ColumnOf(hits, rank.field->id)->view(), fused.hits.counts,
                     plan.has_vector, fused.hits.scores));
    }
    const GroupOrder groups{.groups_max = plan.search.k,
                            .group_size = plan.search.grouping.group_size};
    finish.larger_is_better = fused.larger_is_better;
    places = SortHits(fused, plan.search.k, plan.search.grouping.is_on() ? &groups : nullptr);
    hits.scores = std::move(fused.hits.scores);
  }
  if (finish.chains.merged)
    TRY(RunChain(ctx, services, finish.chains, plan.has_vector, hits, places));
  std::vector<const model::Column*> columns;
  columns.reserve(finish.order.size());
  for (const OrderTerm& term : finish.order) columns.push_back(ColumnOf(hits, term.order.field));
  TRY(OrderAndCut(ctx, finish.order, columns, hits.group_values,
                  {.limit = plan.params.top_k, .offset = plan.params.offset}, places));
  model::PartialHits kept = model::PickHits(hits, places, ScoresAt(hits.scores, places));
  if (finish.ranker.kind != Ranker::Kind::kNone)
    RoundScores(plan.params.round_decimal, kept.scores);
  return kept;
}

// A name for an iterator that no other has soon. It names, and protects nothing.
std::string NewToken(Context& ctx) {
  static std::atomic<uint64_t> counter{0};
  const uint64_t number = counter.fetch_add(1);
  const auto now = static_cast<uint64_t>(ctx.clock().NowMs());
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", now >> 16 & 0xFFFFFFFF, now & 0xFFFF,
                     static_cast<uint64_t>(ctx.clock().MonotonicUs()) & 0xFFF, number >> 48 & 0xFFF,
                     number & 0xFFFFFFFFFFFF);
}

// The scores of a page's hits as they are, the best first.
model::PartialHits WithOwnScores(model::PartialHits hits, model::Metric metric) {
  const model::ColumnView own = ColumnOf(hits, model::kScoreField)->view();
  std::vector<std::vector<uint32_t>> places = PlacesOf(hits);
  const bool larger_is_better = model::LargerIsBetter(metric);
  std::stable_sort(places[0].begin(), places[0].end(), [&](uint32_t a, uint32_t b) {
    return larger_is_better ? own.Get<float>(a) > own.Get<float>(b)
                            : own.Get<float>(a) < own.Get<float>(b);
  });
  std::vector<float> scores;
  for (uint32_t place : places[0]) scores.push_back(own.Get<float>(place));
  return model::PickHits(hits, places, std::move(scores));
}

// At most `batch` hits. The next page begins past the score of this one's end, so that a page does
// not end between equal scores, unless all of it is equal.
model::PartialHits CutPage(model::PartialHits hits, size_t batch) {
  const std::vector<float>& scores = hits.scores;
  if (scores.size() <= batch) return hits;
  size_t end = batch;
  while (end > 0 && scores[end - 1] == scores[batch]) --end;
  std::vector<std::vector<uint32_t>> places = PlacesOf(hits);
  places[0].resize(end > 0 ? end : batch);
  return model::PickHits(hits, places, ScoresAt(scores, places));
}

// Where the page ends; its scores were not rounded yet.
model::IteratorPage EndOfPage(const SearchPlan& plan, const model::PartialHits& hits) {
  const model::IteratorCursor& cursor = *plan.params.cursor;
  model::IteratorPage page;
  page.token = cursor.token;
  constexpr float kLargest = std::numeric_limits<float>::max();
  if (!hits.scores.empty())
    page.last_bound = hits.scores.back();
  else if (cursor.has_bound)
    page.last_bound = cursor.bound;
  else
    page.last_bound = model::LargerIsBetter(plan.search.metric) ? kLargest : -kLargest;
  return page;
}

// Hits of the queries that had a vector, at the places of all of them.
void SpreadCounts(const std::vector<uint8_t>& has_vector, std::vector<uint32_t>& counts) {
  if (has_vector.empty()) return;
  std::vector<uint32_t> spread;
  spread.reserve(has_vector.size());
  size_t next = 0;
  for (uint8_t has : has_vector) spread.push_back(has != 0 ? counts[next++] : 0);
  counts = std::move(spread);
}

void SayPlan(ProfileStep& step, const SearchPlan& plan) {
  if (!step.is_on()) return;
  step.Says("field", plan.field->name);
  step.Says("metric", model::NameOf(plan.search.metric));
  step.Says("k", plan.search.k);
  for (const auto& [key, value] : plan.params.index_params) step.Says(key, value);
  if (plan.search.iterative_filter) step.Says("hints", "iterative_filter");
}

// No query has a vector.
model::SearchResult NoHits(const model::CollectionSchema& schema, const Finish& finish,
                           const SearchPlan& plan) {
  model::PartialHits none;
  const model::FieldSchema& key = schema.primary_key();
  none.counts.assign(plan.has_vector.size(), 0);
  none.primary_keys = model::MakeColumn(key.id, key.name, key.type, model::DataType::kNone, 0);
  for (FieldId id : finish.output.ids) {
    const model::FieldSchema* field = schema.FindField(id);
    none.columns.push_back(
        model::MakeColumn(id, field->name, field->type, field->element_type, field->dim()));
    none.columns.back().is_dynamic = field->is_dynamic;
  }
  model::SearchResult result =
      MakeResult(std::move(none), finish.output, schema, plan.params.top_k);
  ShowMoments(plan.moments, result.columns);
  return result;
}

}  // namespace

Result<model::SearchResult> Search(Context& ctx, Services& services, model::SearchRequest request) {
  return Reported(ctx, services.options, "Search", std::move(request),
                  [&](Context& within, model::SearchRequest one) {
                    return SearchAs(within, services, std::move(one), {});
                  });
}

Result<model::SearchResult> SearchAs(Context& ctx, Services& services, model::SearchRequest request,
                                     const SearchForm& form) {
  SlowLog slow(ctx, services.options, "Search", request.name);
  slow.Says(request.queries.rows + request.query_keys.rows, request.filter,
            fmt::format("anns_field=\"{}\"", request.anns_field));
  ProfileStep planning(ctx, "plan");
  TRY_ASSIGN(ReadScope scope, OpenRead(ctx, services, request.name, request.partitions));
  const model::CollectionInfo& collection = *scope.collection;
  const model::CollectionSchema& schema = collection.schema;
  TRY_ASSIGN(OutputFields output, ResolveOutput(schema, request.output_fields));
  const size_t nq = request.queries.rows + request.query_keys.rows;
  TRY_ASSIGN(SearchPlan plan, PlanSearch(services.options, scope, form, request));
  TRY_ASSIGN(Finish finish, PlanFinish(schema, request, std::move(output), plan.params));
  TRY_ASSIGN(finish.chains, PlanChains(services, schema, request, plan.params, nq));
  if (finish.chains.merged) AddFields(finish.chains.merged->fields(), finish.fields);
  plan.search.chain = finish.chains.in_segments;
  if (finish.ranker.kind == Ranker::Kind::kModel)
    TRY(CheckModelRank(services, finish.ranker.model, nq));
  TRY(CheckLoaded(scope));
  TRY(TakeRate(services, collection, RateKind::kSearch, static_cast<double>(nq)));
  const SearchedQueries executing(nq);
  SayPlan(planning, plan);
  planning.End();
  scope.ignore_growing = plan.params.ignore_growing;
  TRY_ASSIGN(const Timestamp guarantee,
             GuaranteeOf(ctx, services, collection, request.consistency));
  slow.Waits(LevelOf(collection, request.consistency), guarantee);
  TRY(EmbedQueries(ctx, services, scope, {&plan, 1}));
  if (plan.params.iterator) {
    TRY_ASSIGN(const Timestamp moment,
               IteratorMoment(ctx, services, collection, request.consistency.guarantee));
    scope.moments.assign(collection.vchannels.size(), moment);
  } else {
    // Pages agree on what has ended by their moment; other reads of one request by this one.
    scope.ends = EndsNow(services, collection);
    if (plan.query_keys.rows > 0) {
      TRY_ASSIGN(scope.moments, ReadMoments(ctx, services, collection, guarantee));
    }
  }
  if (plan.query_keys.rows > 0) {
    TRY(ReadQueries(ctx, services, scope, plan));
    if (plan.search.queries.rows == 0) return NoHits(schema, finish, plan);
  }
  // The streams of the first page are kept under the name already.
  if (plan.params.cursor && plan.params.cursor->token.empty()) {
    plan.params.cursor->token = NewToken(ctx);
    plan.search.cursor = plan.params.cursor;
  }
  plan.search.read.output_fields = finish.fields;
  plan.search.boosting = finish.ranker.boosting;
  const bool fills_groups = plan.params.group.is_strict;
  // The queries may be large: they are copied for a second search only.
  model::Column queries = std::move(plan.search.queries);
  model::ShardSearch search = plan.search;
  if (plan.params.wants_recall) {
    search.queries = queries;
  } else {
    std::swap(search.queries, queries);
  }
  std::optional<MeasuredPart> waiting(std::in_place, ctx.clock(), Part::kWaitForShards, "search");
  TRY_ASSIGN(model::PartialHits hits,
             RunSearch(ctx, services, guarantee, std::move(search), fills_groups, scope));
  waiting.reset();
  std::vector<float> recalls;
  if (plan.params.wants_recall) {
    CountRecall("Search", request.name, services.options.counted_collections_max);
    model::ShardSearch exact_search = plan.search;
    exact_search.queries = std::move(queries);
    exact_search.exact = true;
    exact_search.read.output_fields.clear();
    TRY_ASSIGN(const model::PartialHits exact,
               RunSearch(ctx, services, guarantee, std::move(exact_search), fills_groups, scope));
    recalls = RecallOf(hits, exact);
  }
  const Timestamp read_at = hits.read_at;
  ProfileStep finishing(ctx, "rank, order and cut");
  const MeasuredPart reducing(ctx.clock(), Part::kReduce, "search");
  TRY_ASSIGN(hits, FinishHits(finishing.ctx(), services, plan, finish, std::move(hits)));
  finishing.End();
  TRY(CheckBytes(services.options.output_bytes_max, hits));
  std::optional<model::IteratorPage> page;
  if (plan.params.cursor) {
    hits = CutPage(std::move(hits), static_cast<size_t>(plan.params.top_k));
    page = EndOfPage(plan, hits);
    hits = WithOwnScores(std::move(hits), plan.search.metric);
    RoundScores(plan.params.round_decimal, hits.scores);
  }
  SpreadCounts(plan.has_vector, hits.counts);
  const int64_t top_k = finish.order.empty() ? plan.params.top_k : LargestCount(hits.counts);
  model::SearchResult result = MakeResult(std::move(hits), finish.output, schema, top_k);
  ShowMoments(plan.moments, result.columns);
  ShowMoments({.zone = plan.moments.zone}, result.group_values);
  result.larger_is_better = finish.larger_is_better;
  result.has_group_list = plan.params.group.is_list;
  result.recalls = std::move(recalls);
  result.page = std::move(page);
  if (plan.params.iterator && request.consistency.guarantee == Timestamp())
    result.session = read_at;
  return result;
}

}  // namespace elanus::proxy
