// Function chains and search aggregation between the wire and the model.
#pragma once

#include <vector>

#include "base/status.h"
#include "model/requests/search_aggregation.h"

namespace milvus::proto::milvus {
class SearchRequest;
class SearchResults;
}  // namespace milvus::proto::milvus

namespace elanus::wire {

/// Errors: kInvalidParameter.
Result<std::vector<model::FunctionChain>> DecodeChains(
    const milvus::proto::milvus::SearchRequest& from);
/// The levels, the outermost first; none: the request has no aggregation. Their number is cut off
/// behind the first one that is too many for anybody.
std::vector<model::BucketLevel> DecodeAggregation(const milvus::proto::milvus::SearchRequest& from);

void EncodeBuckets(const model::AggregatedResult& result, const std::string& collection,
                   milvus::proto::milvus::SearchResults& answer);

}  // namespace elanus::wire
