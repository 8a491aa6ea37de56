// Hits scored by a model that reads a text of each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/requests/data.h"
#include "model/schema.h"
#include "model/score_chain.h"
#include "proxy/services.h"

namespace elanus::proxy {

struct ModelRank {
  const model::FieldSchema* field = nullptr;  // The text; of the schema it was resolved with.
  std::vector<std::string> queries;           // One a query of the search.
  std::vector<model::KeyValue> params;        // Of the service, see functions::Models.
};

/// From a rerank function's parameters. Errors: kInvalidParameter.
Result<ModelRank> ResolveModelRank(const model::RerankFunction& function,
                                   const model::CollectionSchema& schema);

/// As a step of a chain asks for it. `schema` is the one that the chain was compiled with.
ModelRank RankOfChain(const model::ChainModel& asked, const model::CollectionSchema& schema);

/// Whether it fits a search of `nq` queries and its service can be asked. Errors:
/// kInvalidParameter, kMissingParameter.
Status CheckModelRank(Services& services, const ModelRank& rank, size_t nq);

/// Which of a request's queries the first, second ... of those `count` is that have a vector:
/// `has_vector` has one entry a query, or none when all have one.
std::vector<size_t> QueriesWithVector(size_t count, const std::vector<uint8_t>& has_vector);

/// What the model gives the texts at `places` for a query of the rank, in their order. A null is an
/// empty text. Errors: those of functions::Models.
Status ScoreTexts(Context& ctx, functions::Models& models, const ModelRank& rank, size_t query,
                  const model::ColumnView& texts, std::span<const uint32_t> places,
                  std::span<double> scores);

/// Scores the hits anew; larger is better. `texts` is aligned with them, `counts` has the hits of
/// each query, `has_vector` which queries these are, when not all (else it is empty). Errors: those
/// of functions::Models.
Status ApplyModel(Context& ctx, Services& services, const ModelRank& rank,
                  const model::ColumnView& texts, const std::vector<uint32_t>& counts,
                  const std::vector<uint8_t>& has_vector, std::vector<float>& scores);

}  // namespace elanus::proxy
