// Function chains at the front.
#include "proxy/ops/search_chain.h"

#include "expr/expr.h"
#include "functions/models.h"
#include "model/groups.h"
#include "proxy/functions.h"
#include "proxy/rerank/fusion.h"
#include "trees/chain_models.h"

namespace elanus::proxy {
namespace {

// A filter that cannot be read is told before a segment reads it.
Status CheckBoosts(const model::CollectionSchema& schema, const model::ScoreChain& chain) {
  for (const model::Boost& boost : chain.boosts()) {
    const auto plan = expr::Bind(boost.filter, schema, {});
    if (!plan.ok()) return Status(plan.status()).WithContext("the filter of boost_score");
  }
  return {};
}

}  // namespace

Result<ChainPlan> PlanChains(Services& services, const model::CollectionSchema& schema,
                             const model::SearchRequest& request, const SearchParams& params,
                             size_t nq) {
  ChainPlan plan;
  if (request.chains.empty()) return plan;
  if (request.function_score)
    return Invalid("function chains cannot be used with a function score");
  if (params.iterator) return Invalid("function chains cannot be used with an iterator");
  for (const model::FunctionChain& from : request.chains) {
    const auto stage = static_cast<model::ChainStage>(from.stage);
    if (stage != model::ChainStage::kSegment && stage != model::ChainStage::kMerged)
      return Invalid("function chain {}: stage {} is not supported", from.name, from.stage);
    const bool is_merged = stage == model::ChainStage::kMerged;
    if (is_merged ? plan.merged.has_value() : !plan.in_segments.empty())
      return Invalid("there are two function chains of stage {}", from.stage);
    TRY_ASSIGN(auto chain, model::ScoreChain::Compile(from.steps, stage, schema));
    if (!is_merged) {
      if (params.group.is_on())
        return Invalid("a function chain in segments cannot be used with group by");
      TRY(CheckBoosts(schema, chain));
      TRY(trees::PredictorOf(chain).status());
      plan.in_segments = from.steps;
      continue;
    }
    for (const model::ChainModel& asked : chain.models()) {
      plan.models.push_back(RankOfChain(asked, schema));
      TRY(CheckModelRank(services, plan.models.back(), nq));
    }
    TRY_ASSIGN(plan.predict, trees::PredictorOf(chain));
    plan.merged = std::move(chain);
  }
  return plan;
}

Status RunChain(Context& ctx, Services& services, const ChainPlan& plan,
                const std::vector<uint8_t>& has_vector, model::PartialHits& hits,
                std::vector<std::vector<uint32_t>>& places) {
  model::ChainInput input{.keys = hits.primary_keys.view(),
                          .fields = {},
                          .segment_rows = {},
                          .groups = model::ViewsOf(hits.group_values),
                          .factors = {},
                          .ask = {},
                          .predict = plan.predict};
  for (FieldId field : plan.merged->fields()) input.fields.push_back(ColumnOf(hits, field)->view());
  if (plan.models.empty()) {
    for (std::vector<uint32_t>& of_query : places) {
      TRY(ctx.CheckAlive());
      TRY(plan.merged->Run(input, of_query, hits.scores));
    }
    return {};
  }
  // Models take long: the queries, whose hits are their own, ask at the same time.
  const std::vector<size_t> queries = QueriesWithVector(places.size(), has_vector);
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  return models->ParallelFor(ctx, places.size(), [&](size_t q) {
    model::ChainInput of_query = input;
    of_query.ask = [&](size_t asked, std::span<const uint32_t> hits_left,
                       std::span<double> scores) -> Status {
      const ModelRank& rank = plan.models[asked];
      return ScoreTexts(ctx, *models, rank, queries[q], ColumnOf(hits, rank.field->id)->view(),
                        hits_left, scores);
    };
    return plan.merged->Run(of_query, places[q], hits.scores);
  });
}

}  // namespace elanus::proxy
