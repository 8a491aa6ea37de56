// The function chains of a search: checked and planned, and run over the merged hits.
#pragma once

#include <optional>
#include <vector>

#include "model/reduce.h"
#include "model/score_chain.h"
#include "proxy/ops/search_params.h"
#include "proxy/rerank/model_rank.h"

namespace elanus::proxy {

/// What the chains of a request ask for; empty: nothing.
struct ChainPlan {
  std::vector<model::ChainStep> in_segments;
  std::optional<model::ScoreChain> merged;
  std::vector<ModelRank> models;                 // Those that `merged` asks, in its order.
  decltype(model::ChainInput::predict) predict;  // Of `merged`.
};

/// `nq` counts the request's queries. Errors: kInvalidParameter, kMissingParameter; kUnimplemented
/// when a model is asked and there are none.
Result<ChainPlan> PlanChains(Services& services, const model::CollectionSchema& schema,
                             const model::SearchRequest& request, const SearchParams& params,
                             size_t nq);

/// Runs the chain over the hits of each query, given by their places. `has_vector` says which of
/// the request's queries these are, when not all (else it is empty). Errors: those of the models.
Status RunChain(Context& ctx, Services& services, const ChainPlan& plan,
                const std::vector<uint8_t>& has_vector, model::PartialHits& hits,
                std::vector<std::vector<uint32_t>>& places);

}  // namespace elanus::proxy
