// Hybrid search: several searches at one moment, their hits fused into one list.
#include <algorithm>
#include <iterator>

#include "model/reduce.h"
#include "proxy/checks.h"
#include "proxy/collection_limits.h"
#include "proxy/consistency.h"
#include "proxy/functions.h"
#include "proxy/metrics.h"
#include "proxy/ops.h"
#include "proxy/ops/search_finish.h"
#include "proxy/ops/search_plan.h"
#include "proxy/query_mode.h"
#include "proxy/read_report.h"
#include "proxy/rerank/fusion.h"
#include "proxy/slow_log.h"

namespace elanus::proxy {
namespace {

struct HybridPlan {
  std::vector<SearchPlan> searches;
  size_t nq = 0;
  Ranker ranker;
  AnswerWindow window;
  int64_t round_decimal = -1;
  GroupParams group;
  ScoreMode group_scorer = ScoreMode::kMax;
  std::string order_by;  // As it was asked for.
  std::vector<OrderTerm> order;
  bool by_element = false;  // All searches are for elements of one struct, and so is the answer.
  MomentForm moments;
};

// What the SDKs say of the whole in each of its searches, the JSON of a group and the order there
// alone.
constexpr const char* kOfWhole[] = {"group_by_field",    "group_by_fields", "group_size",
                                    "strict_group_size", "json_path",       "json_type",
                                    "strict_cast",       "order_by_fields"};

std::string TextOf(const std::vector<model::KeyValue>& params, std::string_view key) {
  const std::string* given = model::Find(params, key);
  return given == nullptr ? std::string() : *given;
}

// The parameters of the whole: its own, and what it leaves to its searches, which have to agree.
Result<std::vector<model::KeyValue>> ParamsOfWhole(const model::HybridSearchRequest& request) {
  std::vector<model::KeyValue> params = request.rank_params;
  for (const char* key : kOfWhole) {
    if (!TextOf(params, key).empty()) continue;
    const std::string said = TextOf(request.requests[0].params, key);
    for (const model::SearchRequest& part : request.requests) {
      if (TextOf(part.params, key) != said)
        return Invalid("{} is for a hybrid search as a whole, and its searches differ in it", key);
    }
    if (!said.empty()) params.push_back({.key = key, .value = said});
  }
  return params;
}

// The parameters beside the searches.
Status PlanRanking(const ProxyOptions& options, const model::CollectionSchema& schema,
                   const model::HybridSearchRequest& request, HybridPlan& plan) {
  TRY_ASSIGN(const std::vector<model::KeyValue> params, ParamsOfWhole(request));
  const std::string* limit = model::Find(params, "limit");
  if (limit == nullptr) return Invalid("limit should be specified in rank params");
  TRY_ASSIGN(plan.window.limit, ParseInt("limit", *limit));
  if (const std::string* offset = model::Find(params, "offset");
      offset != nullptr && !offset->empty()) {
    TRY_ASSIGN(plan.window.offset, ParseInt("offset", *offset));
  }
  TRY(CheckWindow(options, plan.window.limit, plan.window.offset));
  TRY_ASSIGN(plan.round_decimal, ParseRoundDecimal(params));
  TRY_ASSIGN(plan.group, ParseGroupParams(options, params));
  TRY_ASSIGN(plan.group_scorer,
             ParseScoreMode("rank_group_scorer", model::Find(params, "rank_group_scorer")));
  plan.order_by = TextOf(params, "order_by_fields");
  if (!plan.order_by.empty()) {
    TRY_ASSIGN(plan.order, ParseOrderBy(plan.order_by, schema, /*takes_json=*/true));
    if (plan.group.fields.size() > 1)
      return Invalid("order_by_fields cannot be used with several group by fields");
  }
  const size_t paths = request.requests.size();
  if (request.function_score && !request.function_score->functions.empty()) {
    TRY_ASSIGN(plan.ranker, ResolveRanker(*request.function_score, schema, paths));
    if (!plan.ranker.boosting.boosts.empty())
      return Invalid("boost functions cannot be used with hybrid search");
  } else {
    TRY_ASSIGN(plan.ranker, ResolveStrategy(params, paths));
  }
  return {};
}

// One of the searches.
Result<SearchPlan> PlanPart(const ProxyOptions& options, const ReadScope& scope,
                            const HybridPlan& hybrid, model::SearchRequest& request) {
  if (request.function_score)
    return Invalid("a search inside of a hybrid search cannot have rerank functions");
  if (!request.chains.empty()) return Invalid("function chains cannot be used with hybrid search");
  if (!request.aggregation.empty())
    return Invalid("search_aggregation cannot be used with hybrid search");
  const SearchForm form{.is_part = true,
                        .top_k_default = hybrid.window.limit + hybrid.window.offset};
  TRY_ASSIGN(SearchPlan plan, PlanSearch(options, scope, form, request));
  if (plan.params.iterator) return Invalid("iterators cannot be used with hybrid search");
  if (!plan.params.order_by.empty() && plan.params.order_by != hybrid.order_by)
    return Invalid("order_by_fields is for a hybrid search as a whole, not for a search in it");
  if (plan.params.group.is_on() && plan.params.group.fields != hybrid.group.fields)
    return Invalid("a hybrid search is grouped as a whole, not the searches in it");
  if (hybrid.group.is_on()) {
    if (plan.params.radius) return Invalid("a range search cannot be grouped by a field");
    if (plan.field->type == model::DataType::kBinaryVector)
      return Invalid("a search of the binary vector field {} cannot be grouped", plan.field->name);
    TRY_ASSIGN(plan.search.grouping, ResolveGrouping(scope.collection->schema, hybrid.group));
  }
  return plan;
}

// Elements of one struct in all searches are fused as such; else elements of a row become one hit.
Status PlanElements(HybridPlan& plan) {
  const auto& struct_name = plan.searches[0].field->struct_name;
  plan.by_element =
      std::all_of(plan.searches.begin(), plan.searches.end(), [&](const SearchPlan& part) {
        return part.search.by_element && part.field->struct_name == struct_name;
      });
  for (SearchPlan& part : plan.searches) {
    if (!part.search.by_element) continue;
    if (plan.group.is_on())
      return Invalid("a hybrid search for elements of a struct array cannot be grouped");
    if (plan.by_element && part.search.fold)
      return Invalid("element_scope cannot be used when all searches are for elements of a struct");
    if (!plan.by_element && !part.search.fold) part.search.fold.emplace();
  }
  return {};
}

Result<HybridPlan> PlanHybrid(const ProxyOptions& options, const ReadScope& scope,
                              model::HybridSearchRequest& request) {
  if (request.requests.empty() ||
      request.requests.size() > static_cast<size_t>(options.hybrid_searches_max)) {
    return Invalid("a hybrid search has 1 to {} searches, got {}", options.hybrid_searches_max,
                   request.requests.size());
  }
  HybridPlan plan;
  TRY(PlanRanking(LimitsOf(options, scope.collection->properties), scope.collection->schema,
                  request, plan));
  size_t nq = 0;
  for (model::SearchRequest& part : request.requests) {
    const size_t queries = part.query_keys.rows > 0 ? part.query_keys.rows : part.queries.rows;
    if (&part != &request.requests[0] && queries != nq)
      return Invalid("the searches of a hybrid search differ in nq: {} and {}", nq, queries);
    nq = queries;
    TRY_ASSIGN(SearchPlan search, PlanPart(options, scope, plan, part));
    plan.searches.push_back(std::move(search));
  }
  plan.nq = nq;
  TRY(PlanElements(plan));
  // Clients repeat what is for the whole in each part, or say it there only.
  const bool is_said = model::Find(request.rank_params, kTimeZoneKey) != nullptr;
  plan.moments = plan.searches[0].moments;
  if (is_said) {
    TRY_ASSIGN(plan.moments, MomentFormOf(request.rank_params, *scope.collection));
  }
  return plan;
}

// The hits of all searches, at the same moments.
Result<std::vector<model::PartialHits>> RunParts(Context& ctx, Services& services,
                                                 const ReadScope& scope, HybridPlan& plan) {
  const MeasuredPart waiting(ctx.clock(), Part::kWaitForShards, "hybrid_search");
  std::vector<model::PartialHits> parts(plan.searches.size());
  TRY(services.fan_out.ParallelFor(ctx, parts.size(), [&](size_t i) -> Status {
    SearchPlan& one = plan.searches[i];
    ReadScope same = scope;
    ProfileStep step(ctx, "search");
    step.Says("field", one.field->name);
    if (one.query_keys.rows > 0) {
      TRY(ReadQueries(step.ctx(), services, scope, one));
      if (one.search.queries.rows != one.has_vector.size())
        return Invalid("an id of a hybrid search has no vector in field {}", one.field->name);
    }
    model::Column queries = std::move(one.search.queries);
    model::ShardSearch search = one.search;
    search.queries = std::move(queries);
    TRY_ASSIGN(parts[i], RunSearch(step.ctx(), services, Timestamp(), std::move(search),
                                   plan.group.is_strict, same));
    return {};
  }));
  return parts;
}

// One list of the parts, ordered and cut; without columns but that of the elements.
Result<model::PartialHits> Rank(Context& ctx, Services& services, const ReadScope& scope,
                                const HybridPlan& plan,
                                const std::vector<model::PartialHits>& parts) {
  std::vector<Path> paths;
  for (size_t i = 0; i < parts.size(); ++i) {
    paths.push_back({.hits = &parts[i], .metric = plan.searches[i].search.metric});
  }
  FusedHits fused = Fuse(plan.ranker, paths, plan.by_element);
  const auto limit = static_cast<size_t>(plan.window.limit + plan.window.offset);
  if (plan.ranker.kind == Ranker::Kind::kDecay) {
    const Decay& decay = plan.ranker.decay;
    TRY_ASSIGN(const auto values,
               FetchFound(ctx, services, scope, fused.hits.primary_keys, {decay.field->id}));
    ApplyDecay(decay, values[0].view(), fused.hits.scores);
  }
  if (plan.ranker.kind == Ranker::Kind::kModel) {
    const ModelRank& rank = plan.ranker.model;
    TRY_ASSIGN(const auto texts,
               FetchFound(ctx, services, scope, fused.hits.primary_keys, {rank.field->id}));
    TRY(ApplyModel(ctx, services, rank, texts[0].view(), fused.hits.counts, {}, fused.hits.scores));
  }
  const GroupOrder groups{.groups_max = limit,
                          .group_size = static_cast<size_t>(plan.group.size),
                          .scorer = plan.group_scorer};
  const auto best = SortHits(fused, limit, plan.group.is_on() ? &groups : nullptr);
  const model::PartialHits hits =
      model::PickHits(fused.hits, best, ScoresAt(fused.hits.scores, best));
  std::vector<FieldId> fields;
  fields.reserve(plan.order.size());
  for (const OrderTerm& term : plan.order) fields.push_back(term.order.field);
  TRY_ASSIGN(const auto values, FetchFound(ctx, services, scope, hits.primary_keys, fields));
  std::vector<const model::Column*> columns;
  columns.reserve(values.size());
  for (const model::Column& column : values) columns.push_back(&column);
  std::vector<std::vector<uint32_t>> places = PlacesOf(hits);
  TRY(OrderAndCut(ctx, plan.order, columns, hits.group_values, plan.window, places));
  model::PartialHits kept = model::PickHits(hits, places, ScoresAt(hits.scores, places));
  RoundScores(plan.round_decimal, kept.scores);
  return kept;
}

Result<model::SearchResult> RunHybrid(Context& ctx, Services& services, ReadScope& scope,
                                      HybridPlan& plan, const OutputFields& output) {
  const SearchedQueries executing(plan.nq * plan.searches.size());
  TRY_ASSIGN(const auto parts, RunParts(ctx, services, scope, plan));
  const MeasuredPart reducing(ctx.clock(), Part::kReduce, "hybrid_search");
  ProfileStep ranking(ctx, "fuse, rank, order and cut");
  TRY_ASSIGN(model::PartialHits hits, Rank(ranking.ctx(), services, scope, plan, parts));
  for (const model::PartialHits& part : parts) hits.searched_rows += part.searched_rows;
  ranking.End();
  ProfileStep reading(ctx, "read output fields");
  TRY_ASSIGN(auto columns,
             FetchFound(reading.ctx(), services, scope, hits.primary_keys, output.ids));
  hits.columns.insert(hits.columns.begin(), std::make_move_iterator(columns.begin()),
                      std::make_move_iterator(columns.end()));
  TRY(CheckBytes(services.options.output_bytes_max, hits));
  const int64_t top_k = plan.order.empty() ? plan.window.limit : LargestCount(hits.counts);
  model::SearchResult result = MakeResult(std::move(hits), output, scope.collection->schema, top_k);
  result.has_group_list = plan.group.is_list;
  ShowMoments(plan.moments, result.columns);
  ShowMoments({.zone = plan.moments.zone}, result.group_values);
  return result;
}

Result<model::SearchResult> SearchHybrid(Context& ctx, Services& services,
                                         model::HybridSearchRequest request) {
  SlowLog slow(ctx, services.options, "HybridSearch", request.name);
  if (!request.requests.empty()) {
    slow.Says(request.requests[0].queries.rows, request.requests[0].filter,
              fmt::format("searches={}", request.requests.size()));
  }
  TRY_ASSIGN(ReadScope scope, OpenRead(ctx, services, request.name, request.partitions));
  TRY_ASSIGN(const OutputFields output,
             ResolveOutput(scope.collection->schema, request.output_fields));
  TRY_ASSIGN(HybridPlan plan, PlanHybrid(services.options, scope, request));
  if (plan.ranker.kind == Ranker::Kind::kModel)
    TRY(CheckModelRank(services, plan.ranker.model, plan.nq));
  TRY(CheckLoaded(scope));
  TRY(TakeRate(services, *scope.collection, RateKind::kSearch,
               static_cast<double>(plan.nq * plan.searches.size())));
  for (const SearchPlan& part : plan.searches) {
    scope.ignore_growing = scope.ignore_growing || part.params.ignore_growing;
  }
  for (SearchPlan& part : plan.searches) {
    part.search.read.ignore_growing = scope.ignore_growing;
  }
  TRY_ASSIGN(const Timestamp guarantee,
             GuaranteeOf(ctx, services, *scope.collection, request.consistency));
  slow.Waits(LevelOf(*scope.collection, request.consistency), guarantee);
  TRY(EmbedQueries(ctx, services, scope, plan.searches));
  TRY_ASSIGN(scope.moments, ReadMoments(ctx, services, *scope.collection, guarantee));
  scope.ends = EndsNow(services, *scope.collection);
  return RunHybrid(ctx, services, scope, plan, output);
}

}  // namespace

Result<model::SearchResult> HybridSearch(Context& ctx, Services& services,
                                         model::HybridSearchRequest request) {
  return Reported(ctx, services.options, "HybridSearch", std::move(request),
                  [&](Context& within, model::HybridSearchRequest one) {
                    return SearchHybrid(within, services, std::move(one));
                  });
}

}  // namespace elanus::proxy
