// Scores by models.
#include "proxy/rerank/model_rank.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "functions/models.h"
#include "functions/setup.h"
#include "proxy/checks.h"
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

Status CheckModelRank(Services& services, const ModelRank& rank, size_t nq) {
  if (rank.queries.size() != nq) {
    return Invalid("nq must equal to the number of queries of the rerank model: nq {}, queries {}",
                   nq, rank.queries.size());
  }
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  return models->CheckReranker(rank.params);
}

Status ApplyModel(Context& ctx, Services& services, const ModelRank& rank,
                  const model::ColumnView& texts, const std::vector<uint32_t>& counts,
                  const std::vector<uint8_t>& has_vector, std::vector<float>& scores) {
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  struct Part {
    size_t query;
    size_t begin;
    size_t count;
  };
  std::vector<Part> parts;
  size_t begin = 0;
  size_t query = 0;
  for (uint32_t count : counts) {
    while (query < has_vector.size() && has_vector[query] == 0) ++query;
    if (count > 0) parts.push_back({query, begin, count});
    begin += count;
    ++query;
  }
  return models->ParallelFor(ctx, parts.size(), [&](size_t i) -> Status {
    const Part& part = parts[i];
    std::vector<std::string_view> of_query;
    for (size_t hit = part.begin; hit < part.begin + part.count; ++hit) {
      of_query.push_back(texts.IsValid(hit) ? texts.Bytes(hit) : std::string_view());
    }
    TRY_ASSIGN(const std::vector<float> made,
               models->Rerank(ctx, rank.params, rank.queries[part.query], of_query));
    std::copy(made.begin(), made.end(), scores.begin() + static_cast<ptrdiff_t>(part.begin));
    return {};
  });
}

}  // namespace elanus::proxy
