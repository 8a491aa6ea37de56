// Searches and queries between the wire and the model.
#pragma once

#include "base/status.h"
#include "model/requests/data.h"
#include "wire/grpc/method.h"

namespace milvus::proto::milvus {
class HybridSearchRequest;
class QueryRequest;
class SearchRequest;
class SearchResults;
}  // namespace milvus::proto::milvus

namespace elanus::wire {

/// Errors: kInvalidParameter; kUnimplemented (parts that are not built yet, by name).
Result<model::SearchRequest> DecodeSearch(const Call& call,
                                          const milvus::proto::milvus::SearchRequest& from);
Result<model::HybridSearchRequest> DecodeHybrid(
    const Call& call, const milvus::proto::milvus::HybridSearchRequest& from);
/// A search request with `sub_reqs`: a hybrid search whose ranking parameters are search_params.
Result<model::HybridSearchRequest> DecodeSubSearches(
    const Call& call, const milvus::proto::milvus::SearchRequest& from);
Result<model::QueryRequest> DecodeQuery(const Call& call,
                                        const milvus::proto::milvus::QueryRequest& from);

void EncodeHits(const model::SearchResult& result, const std::string& collection,
                milvus::proto::milvus::SearchResults& answer);

}  // namespace elanus::wire
