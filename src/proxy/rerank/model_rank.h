// Hits scored by a model that reads a text of each.
#pragma once

#include <string>
#include <vector>

#include "model/requests/data.h"
#include "model/schema.h"
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

/// Whether it fits a search of `nq` queries and its service can be asked. Errors:
/// kInvalidParameter, kMissingParameter.
Status CheckModelRank(Services& services, const ModelRank& rank, size_t nq);

/// Scores the hits anew; larger is better. `texts` is aligned with them, `counts` has the hits of
/// each query, `has_vector` which queries these are, when not all (else it is empty). Errors: those
/// of functions::Models.
Status ApplyModel(Context& ctx, Services& services, const ModelRank& rank,
                  const model::ColumnView& texts, const std::vector<uint32_t>& counts,
                  const std::vector<uint8_t>& has_vector, std::vector<float>& scores);

}  // namespace elanus::proxy
