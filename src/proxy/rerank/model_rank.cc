// Scores by models.
#include "proxy/rerank/model_rank.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "functions/models.h"
#include "functions/setup.h"
#include "proxy/functions.h"
#include "proxy/json_text.h"

namespace elanus::proxy {

Result<ModelRank> ResolveModelRank(const model::RerankFunction& function,
                                   const model::CollectionSchema& schema) {
  ModelRank rank{.field = nullptr, .queries = {}, .params = function.params};
  if (function.inputs.size() != 1)
    return Invalid("a rerank model takes one input field, got {}", function.inputs.size());
  rank.field = schema.FindField(function.inputs[0]);
  if (rank.field == nullptr)
    return Invalid("the input field {} of a rerank function does not exist", function.inputs[0]);
  if (rank.field->type != model::DataType::kVarChar && rank.field->type != model::DataType::kText) {
    return Invalid("a rerank model takes a VarChar field, {} is of type {}", rank.field->name,
                   model::NameOf(rank.field->type));
  }
  const std::string* queries = functions::FindAnyCase(function.params, "queries");
  if (queries == nullptr) return Invalid("rerank function lost params queries");
  constexpr int kDepthMax = 4;
  TRY_ASSIGN(const nlohmann::json json, ParseJson("queries", *queries, kDepthMax));
  if (!json.is_array() || json.empty())
    return Invalid("the queries of a rerank model should be a list that is not empty");
  for (const nlohmann::json& query : json) {
    if (!query.is_string())
      return Invalid("the queries of a rerank model should be texts, got {}", query.dump());
    rank.queries.push_back(query.get<std::string>());
  }
  return rank;
}

ModelRank RankOfChain(const model::ChainModel& asked, const model::CollectionSchema& schema) {
  ModelRank rank{
      .field = schema.FindField(asked.field), .queries = asked.queries, .params = asked.params};
  // The SDK's builder of chains shows `model`, what all other functions call `model_name`.
  if (functions::FindAnyCase(rank.params, "model_name") != nullptr) return rank;
  for (model::KeyValue& param : rank.params) {
    if (functions::Lower(param.key) == "model") param.key = "model_name";
  }
  return rank;
}

Status CheckModelRank(Services& services, const ModelRank& rank, size_t nq) {
  if (rank.queries.size() != nq) {
    return Invalid("nq must equal to the number of queries of the rerank model: nq {}, queries {}",
                   nq, rank.queries.size());
  }
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  return models->CheckReranker(rank.params);
}

std::vector<size_t> QueriesWithVector(size_t count, const std::vector<uint8_t>& has_vector) {
  std::vector<size_t> queries;
  for (size_t query = 0; queries.size() < count; ++query) {
    if (has_vector.empty() || has_vector[query] != 0) queries.push_back(query);
  }
  return queries;
}

Status ScoreTexts(Context& ctx, functions::Models& models, const ModelRank& rank, size_t query,
                  const model::ColumnView& texts, std::span<const uint32_t> places,
                  std::span<double> scores) {
  std::vector<std::string_view> of_hits;
  for (uint32_t place : places) {
    of_hits.push_back(texts.IsValid(place) ? texts.Bytes(place) : std::string_view());
  }
  TRY_ASSIGN(const std::vector<float> made,
             models.Rerank(ctx, rank.params, rank.queries[query], of_hits));
  std::copy(made.begin(), made.end(), scores.begin());
  return {};
}

Status ApplyModel(Context& ctx, Services& services, const ModelRank& rank,
                  const model::ColumnView& texts, const std::vector<uint32_t>& counts,
                  const std::vector<uint8_t>& has_vector, std::vector<float>& scores) {
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  const std::vector<size_t> queries = QueriesWithVector(counts.size(), has_vector);
  std::vector<uint32_t> begins(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), begins.begin(), 0u);
  return models->ParallelFor(ctx, counts.size(), [&](size_t i) -> Status {
    if (counts[i] == 0) return {};
    std::vector<uint32_t> places(counts[i]);
    std::iota(places.begin(), places.end(), begins[i]);
    std::vector<double> made(counts[i]);
    TRY(ScoreTexts(ctx, *models, rank, queries[i], texts, places, made));
    for (size_t hit = 0; hit < made.size(); ++hit) {
      scores[begins[i] + hit] = static_cast<float>(made[hit]);
    }
    return {};
  });
}

}  // namespace elanus::proxy
