// One vector search as the shards are asked: checked, planned, and run on all of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/requests/data.h"
#include "proxy/moments.h"
#include "proxy/ops/fetch.h"
#include "proxy/ops/search_params.h"
#include "proxy/output_fields.h"

namespace elanus::proxy {

struct SearchPlan {
  const model::FieldSchema* field = nullptr;  // Of the collection.
  SearchParams params;
  MomentForm moments;  // As the answer shows them.
  // But for shard, moment and output fields. Its queries may be texts, see EmbedQueries.
  model::ShardSearch search;
  model::Column query_keys;         // Its queries are the vectors of these rows, yet to be read.
  std::vector<uint8_t> has_vector;  // One a query key that has one; empty: every query has.

  uint32_t hits_wanted() const { return static_cast<uint32_t>(params.top_k + params.offset); }
};

/// Names to ids; the collection, its partitions and its load state as a read needs them. Errors:
/// kCollectionNotFound, kInvalidParameter.
Result<ReadScope> OpenRead(Context& ctx, Services& services, const model::CollectionName& name,
                           const std::vector<std::string>& partitions);
/// Errors: kCollectionNotLoaded, kPartitionNotLoaded. An empty list of partitions becomes the
/// loaded ones.
Status CheckLoaded(ReadScope& scope);

/// Everything about the search that can be told without a shard. Takes queries and filter out of
/// `request`. Errors: kInvalidParameter, kMissingParameter, kFieldNotFound, kSegcore.
Result<SearchPlan> PlanSearch(const ProxyOptions& options, const ReadScope& scope,
                              const SearchForm& form, model::SearchRequest& request);

/// Asks model services for the vectors of queries that are texts, of several plans at the same
/// time. Only when nothing else can refuse the request: each call costs. Errors: those of
/// functions::Models; kInvalidParameter (vectors that do not fit the field).
Status EmbedQueries(Context& ctx, Services& services, const ReadScope& scope,
                    std::span<SearchPlan> plans);

/// Makes the vectors of the plan's query keys its queries. `scope` has moments. Errors:
/// kInvalidParameter (keys that repeat or are not there).
Status ReadQueries(Context& ctx, Services& services, const ReadScope& scope, SearchPlan& plan);

/// Runs the search on all shards, at the moments of `scope`; without them, after the guarantee, and
/// leaves the moments there. Strict grouping fills the groups.
Result<model::PartialHits> RunSearch(Context& ctx, Services& services, Timestamp guarantee,
                                     model::ShardSearch search, bool fills_groups,
                                     ReadScope& scope);

/// The operation Search, of another form.
Result<model::SearchResult> SearchAs(Context& ctx, Services& services, model::SearchRequest request,
                                     const SearchForm& form);

/// Of each query, which share of its hits is among those of the exact search; 0 without hits.
std::vector<float> RecallOf(const model::PartialHits& hits, const model::PartialHits& exact);

}  // namespace elanus::proxy
