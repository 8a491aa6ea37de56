// Searches and queries.
#include "wire/grpc/search_codec.h"

#include "milvus.pb.h"
#include "wire/grpc/column_codec.h"
#include "wire/grpc/rank_codec.h"
#include "wire/grpc/schema_codec.h"
#include "wire/grpc/struct_codec.h"
#include "wire/grpc/unary.h"
#include "wire/grpc/vector_codec.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace schema = milvus::proto::schema;

template <class Request>
model::ReadConsistency ConsistencyOf(const Request& request) {
  return {.use_default = request.use_default_consistency(),
          .level = static_cast<model::ConsistencyLevel>(request.consistency_level()),
          .guarantee = Timestamp(request.guarantee_timestamp())};
}

Result<model::FunctionScore> DecodeFunctionScore(const schema::FunctionScore& from) {
  model::FunctionScore score;
  for (const schema::FunctionSchema& function : from.functions()) {
    if (function.type() != schema::FunctionType::Rerank)
      return Invalid("function {} is not a rerank function", function.name());
    score.functions.push_back(
        {.name = function.name(),
         .inputs = {function.input_field_names().begin(), function.input_field_names().end()},
         .params = DecodePairs(function.params())});
  }
  score.params = DecodePairs(from.params());
  return score;
}

Result<model::Column> DecodeIds(const schema::IDs& ids) {
  using model::DataType;
  const bool is_text = ids.has_str_id();
  model::Column keys = model::MakeColumn({}, "", is_text ? DataType::kVarChar : DataType::kInt64,
                                         DataType::kNone, 0);
  for (const std::string& text : ids.str_id().data()) keys.AppendBytes(text);
  for (const int64_t number : ids.int_id().data()) keys.AppendFixed(&number);
  if (keys.rows == 0) return Invalid("a search by ids needs ids");
  return keys;
}

void TakeParams(const KeyValuePairs& from, model::SearchRequest& to) {
  to.params = DecodePairs(from);
  if (const std::string* field = model::Find(to.params, "anns_field")) to.anns_field = *field;
}

// What a search and a hybrid search may hold and nothing answers yet.
template <class Request>
Status CheckParts(const Request& request) {
  if (!request.namespace_().empty())
    return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
  return {};
}

// What goes with a single search only.
template <class Request>
Status CheckHybrid(const Request& request) {
  TRY(CheckParts(request));
  if (request.function_chains_size() > 0)
    return Invalid("function chains cannot be used with hybrid search");
  return {};
}

}  // namespace

Result<model::SearchRequest> DecodeSearch(const Call& call, const pb::SearchRequest& from) {
  TRY(CheckParts(from));
  model::SearchRequest search{
      .name = NameOf(call, from),
      .partitions = {from.partition_names().begin(), from.partition_names().end()},
      .filter = from.dsl(),
      .nq_given = from.nq()};
  TRY_ASSIGN(search.templates, DecodeTemplates(from.expr_template_values()));
  search.output_fields = {from.output_fields().begin(), from.output_fields().end()};
  TakeParams(from.search_params(), search);
  search.consistency = ConsistencyOf(from);
  if (from.has_ids()) {
    TRY_ASSIGN(search.query_keys, DecodeIds(from.ids()));
  } else {
    TRY_ASSIGN(search.queries, DecodeQueries(from.placeholder_group()));
  }
  if (from.has_function_score()) {
    TRY_ASSIGN(search.function_score, DecodeFunctionScore(from.function_score()));
  }
  TRY_ASSIGN(search.chains, DecodeChains(from));
  search.aggregation = DecodeAggregation(from);
  return search;
}

Result<model::HybridSearchRequest> DecodeHybrid(const Call& call,
                                                const pb::HybridSearchRequest& from) {
  TRY(CheckHybrid(from));
  model::HybridSearchRequest hybrid{
      .name = NameOf(call, from),
      .partitions = {from.partition_names().begin(), from.partition_names().end()}};
  for (const pb::SearchRequest& part : from.requests()) {
    if (part.has_highlighter()) return Invalid("not support hybrid search with highlight now");
    TRY_ASSIGN(model::SearchRequest search, DecodeSearch(call, part));
    hybrid.requests.push_back(std::move(search));
  }
  hybrid.rank_params = DecodePairs(from.rank_params());
  hybrid.output_fields = {from.output_fields().begin(), from.output_fields().end()};
  hybrid.consistency = ConsistencyOf(from);
  if (from.has_function_score()) {
    TRY_ASSIGN(hybrid.function_score, DecodeFunctionScore(from.function_score()));
  }
  return hybrid;
}

Result<model::HybridSearchRequest> DecodeSubSearches(const Call& call,
                                                     const pb::SearchRequest& from) {
  TRY(CheckHybrid(from));
  if (from.has_search_aggregation())
    return Invalid("search_aggregation cannot be used with hybrid search");
  model::HybridSearchRequest hybrid{
      .name = NameOf(call, from),
      .partitions = {from.partition_names().begin(), from.partition_names().end()}};
  for (const pb::SubSearchRequest& part : from.sub_reqs()) {
    if (!part.namespace_().empty())
      return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
    model::SearchRequest search{.name = hybrid.name, .filter = part.dsl(), .nq_given = part.nq()};
    TRY_ASSIGN(search.templates, DecodeTemplates(part.expr_template_values()));
    TakeParams(part.search_params(), search);
    TRY_ASSIGN(search.queries, DecodeQueries(part.placeholder_group()));
    hybrid.requests.push_back(std::move(search));
  }
  hybrid.rank_params = DecodePairs(from.search_params());
  hybrid.output_fields = {from.output_fields().begin(), from.output_fields().end()};
  hybrid.consistency = ConsistencyOf(from);
  if (from.has_function_score()) {
    TRY_ASSIGN(hybrid.function_score, DecodeFunctionScore(from.function_score()));
  }
  return hybrid;
}

Result<model::QueryRequest> DecodeQuery(const Call& call, const pb::QueryRequest& from) {
  if (!from.namespace_().empty())
    return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
  model::QueryRequest query{
      .name = NameOf(call, from),
      .partitions = {from.partition_names().begin(), from.partition_names().end()},
      .filter = from.expr()};
  TRY_ASSIGN(query.templates, DecodeTemplates(from.expr_template_values()));
  query.output_fields = {from.output_fields().begin(), from.output_fields().end()};
  query.params = DecodePairs(from.query_params());
  query.consistency = ConsistencyOf(from);
  return query;
}

void EncodeHits(const model::SearchResult& result, const std::string& collection,
                pb::SearchResults& answer) {
  answer.mutable_status();
  if (!result.explain.empty()) {
    (*answer.mutable_status()->mutable_extra_info())["explain"] = result.explain;
  }
  answer.set_collection_name(collection);
  answer.set_session_ts(result.session.value());
  auto* data = answer.mutable_results();
  data->set_num_queries(result.nq);
  data->set_top_k(result.top_k);
  data->set_all_search_count(result.searched_rows);
  for (uint32_t count : result.counts) data->add_topks(count);
  data->mutable_scores()->Add(result.scores.begin(), result.scores.end());
  EncodeIds(result.primary_keys, data->mutable_ids());
  data->set_primary_field_name(result.primary_field);
  for (const std::string& name : result.output_fields) data->add_output_fields(name);
  EncodeColumns(result.columns, data->mutable_fields_data());
  for (const model::Column& column : result.group_values) {
    EncodeColumn(column, result.has_group_list ? data->add_group_by_field_values()
                                               : data->mutable_group_by_field_value());
  }
  if (!result.element_indices.empty()) {
    data->mutable_element_indices()->mutable_data()->Add(result.element_indices.begin(),
                                                         result.element_indices.end());
  }
  data->mutable_recalls()->Add(result.recalls.begin(), result.recalls.end());
  if (result.page) {
    data->mutable_search_iterator_v2_results()->set_token(result.page->token);
    data->mutable_search_iterator_v2_results()->set_last_bound(result.page->last_bound);
  }
}

}  // namespace elanus::wire
