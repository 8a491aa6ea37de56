// `element_scope` of a search: how the elements of a row that are found become one hit.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"
#include "model/requests/shard_search.h"

namespace elanus::proxy {

/// {"collapse": {"strategy": "max|sum|avg|topk_sum|topk_avg", "topk": n}}; without a strategy: max.
/// Errors: kInvalidParameter.
Result<model::ElementFold> ParseElementScope(const nlohmann::json& scope);

/// Sums are for metrics under which more is better. Errors: kInvalidParameter.
Status CheckFold(const model::ElementFold& fold, model::Metric metric);

}  // namespace elanus::proxy
