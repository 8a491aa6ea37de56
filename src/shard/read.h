// Reads of a shard: fresh rows here, loaded segments on their query node, reduced to one answer.
#pragma once

#include "roles/query.h"
#include "shard/shard.h"

namespace elanus::shard {

struct ReadOptions {
  int64_t load_wait_ms = 0;
  int64_t entity_expiration_s = -1;  // See model::ExpiryRule::default_s.
};

/// Waits up to `load_wait_ms` for a load that is under way, as after a start, and for the
/// guarantee; then searches. The shard has the request's version of the schema. Errors:
/// kCollectionNotLoaded, kCollectionNotFullyLoaded, those of the filter and of the index.
Result<model::PartialHits> Search(Context& ctx, Shard& shard, roles::Query& query,
                                  model::ShardSearch search, const ReadOptions& options = {});
/// Waits as Search does, then counts what BM25 must know of this shard's rows for the terms of the
/// queries, see WeighTerms.
Result<model::TermTotals> CountSearched(Context& ctx, Shard& shard, roles::Query& query,
                                        const model::ShardSearch& search,
                                        const ReadOptions& options = {});
Result<model::PartialRows> Query(Context& ctx, Shard& shard, roles::Query& query,
                                 model::ShardQuery request, const ReadOptions& options = {});

}  // namespace elanus::shard
