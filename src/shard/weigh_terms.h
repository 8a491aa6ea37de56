// Turns the term counts of BM25 queries into weights, by what the shard's rows hold.
#pragma once

#include "base/context.h"
#include "base/status.h"
#include "model/requests/shard.h"
#include "roles/query.h"
#include "shard/shard.h"

namespace elanus::shard {

/// Makes the values of search.queries counts times inverse document frequencies and sets
/// search.mean_length, over all rows of all segments of `state`, whatever partition or moment the
/// search asks for: scores of a row do not hang on what else is looked for. Errors:
/// kSegmentNotFound.
Status WeighTerms(Context& ctx, const State& state, roles::Query& query,
                  model::ShardSearch& search);

}  // namespace elanus::shard
