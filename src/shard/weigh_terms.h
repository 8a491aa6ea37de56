// Turns the term counts of BM25 queries into weights, by what the shard's rows hold.
#pragma once

#include "base/context.h"
#include "base/status.h"
#include "model/requests/shard.h"
#include "roles/query.h"
#include "shard/shard.h"

namespace elanus::shard {

/// What all rows of all segments of `state` hold of the terms of the queries, each term once,
/// ascending; whatever partition or moment the search asks for: scores of a row do not hang on what
/// else is looked for. Errors: kSegmentNotFound.
Result<model::TermTotals> CountTerms(Context& ctx, const State& state, roles::Query& query,
                                     const model::ShardSearch& search);

/// Makes the values of search.queries counts times inverse document frequencies and sets
/// search.mean_length, by search.totals or, without, by what CountTerms says. Errors:
/// kSegmentNotFound.
Status WeighTerms(Context& ctx, const State& state, roles::Query& query,
                  model::ShardSearch& search);

}  // namespace elanus::shard
