// Rows: insert, upsert, delete, flush, search, query.
#include <array>
#include <numeric>

#include "milvus.pb.h"
#include "proxy/ops.h"
#include "wire/grpc/column_codec.h"
#include "wire/grpc/schema_codec.h"
#include "wire/grpc/unary.h"
#include "wire/grpc/vector_codec.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;

template <class Request>
Result<model::WriteRequest> DecodeWrite(const Call& call, const Request& request) {
  model::WriteRequest write{.name = NameOf(call, request), .partition = request.partition_name()};
  write.num_rows = request.num_rows();
  write.schema_timestamp = Timestamp(request.schema_timestamp());
  for (const auto& field : request.fields_data()) {
    TRY_ASSIGN(model::Column column, DecodeColumn(field));
    write.columns.push_back(std::move(column));
  }
  if (!request.namespace_().empty())
    return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
  return write;
}

void EncodeMutation(const model::MutationResult& result, pb::MutationResult& answer) {
  answer.mutable_status();
  if (result.primary_keys.rows > 0) EncodeIds(result.primary_keys, answer.mutable_ids());
  for (uint32_t i = 0; i < result.primary_keys.rows; ++i) answer.add_succ_index(i);
  answer.set_acknowledged(true);
  answer.set_insert_cnt(result.insert_count);
  answer.set_delete_cnt(result.delete_count);
  answer.set_upsert_cnt(result.upsert_count);
  answer.set_timestamp(result.timestamp.value());
}

// A failed write names every row as failed, beside the status.
Delivery DeliverWrite(const Status& status, uint32_t rows, pb::MutationResult& answer,
                      std::string& out) {
  if (!status.ok()) {
    answer.Clear();
    EncodeStatus(status, answer.mutable_status());
    for (uint32_t i = 0; i < rows; ++i) answer.add_err_index(i);
  }
  return answer.SerializeToString(&out) ? Delivery::kDone : Delivery::kTooLarge;
}

template <class Request>
Status RunWrite(Call& call, const Request& request, pb::MutationResult& answer) {
  TRY_ASSIGN(model::WriteRequest write, DecodeWrite(call, request));
  if constexpr (std::is_same_v<Request, pb::UpsertRequest>) {
    write.upsert = true;
    write.partial_update = request.partial_update() || request.field_ops_size() > 0;
  }
  TRY_ASSIGN(const auto result, proxy::Write(call.ctx, call.services, std::move(write)));
  EncodeMutation(result, answer);
  return {};
}

template <class Request>
Delivery Write(Call& call, std::string_view bytes, std::string& out) {
  google::protobuf::Arena arena(ArenaFor(bytes.size()));
  auto* request = google::protobuf::Arena::CreateMessage<Request>(&arena);
  auto* answer = google::protobuf::Arena::CreateMessage<pb::MutationResult>(&arena);
  if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Delivery::kBadRequest;
  if (!request->db_name().empty()) call.database = request->db_name();
  // A row takes a byte at least. Beyond this check num_rows is trusted with memory.
  if (request->num_rows() > bytes.size()) {
    return DeliverWrite(Invalid("num_rows ({}) is more than a request of {} bytes can hold",
                                request->num_rows(), bytes.size()),
                        0, *answer, out);
  }
  const Status status = RunWrite(call, *request, *answer);
  return DeliverWrite(status, request->num_rows(), *answer, out);
}

template <class Map>
Result<std::map<std::string, model::Scalar>> DecodeTemplates(const Map& from) {
  std::map<std::string, model::Scalar> templates;
  for (const auto& [name, value] : from) {
    TRY_ASSIGN(model::Scalar scalar, DecodeTemplate(value));
    templates.emplace(name, std::move(scalar));
  }
  return templates;
}

Status Delete(Call& call, const pb::DeleteRequest& request, pb::MutationResult& answer) {
  model::DeleteRequest remove{.name = NameOf(call, request),
                              .partition = request.partition_name(),
                              .filter = request.expr()};
  TRY_ASSIGN(remove.templates, DecodeTemplates(request.expr_template_values()));
  TRY_ASSIGN(const auto result, proxy::Delete(call.ctx, call.services, remove));
  EncodeMutation(result, answer);
  return {};
}

Status Flush(Call& call, const pb::FlushRequest& request, pb::FlushResponse& answer) {
  TRY_ASSIGN(const auto result,
             proxy::Flush(call.ctx, call.services, call.database,
                          {request.collection_names().begin(), request.collection_names().end()}));
  answer.mutable_status();
  answer.set_db_name(call.database);
  for (const auto& collection : result.collections) {
    auto& sealed = (*answer.mutable_coll_segids())[collection.name];
    for (SegmentId id : collection.sealed) sealed.add_data(id.value());
    auto& flushed = (*answer.mutable_flush_coll_segids())[collection.name];
    for (SegmentId id : collection.flushed) flushed.add_data(id.value());
    (*answer.mutable_coll_seal_times())[collection.name] = PhysicalMs(collection.flush_ts) / 1000;
    (*answer.mutable_coll_flush_ts())[collection.name] = collection.flush_ts.value();
  }
  return {};
}

Status GetFlushState(Call& call, const pb::GetFlushStateRequest& request,
                     pb::GetFlushStateResponse& answer) {
  TRY_ASSIGN(const bool flushed, proxy::IsFlushed(call.ctx, call.services, NameOf(call, request),
                                                  Timestamp(request.flush_ts())));
  answer.mutable_status();
  answer.set_flushed(flushed);
  return {};
}

template <class Request>
model::ReadConsistency ConsistencyOf(const Request& request) {
  return {.use_default = request.use_default_consistency(),
          .level = static_cast<model::ConsistencyLevel>(request.consistency_level()),
          .guarantee = Timestamp(request.guarantee_timestamp())};
}

void EncodeHits(const model::SearchResult& result, const std::string& collection,
                pb::SearchResults& answer) {
  answer.mutable_status();
  answer.set_collection_name(collection);
  answer.set_session_ts(result.session.value());
  auto* data = answer.mutable_results();
  data->set_num_queries(result.nq);
  data->set_top_k(result.top_k);
  for (uint32_t count : result.counts) data->add_topks(count);
  data->mutable_scores()->Add(result.scores.begin(), result.scores.end());
  EncodeIds(result.primary_keys, data->mutable_ids());
  data->set_primary_field_name(result.primary_field);
  for (const std::string& name : result.output_fields) data->add_output_fields(name);
  for (const model::Column& column : result.columns) EncodeColumn(column, data->add_fields_data());
}

Status Search(Call& call, const pb::SearchRequest& request, pb::SearchResults& answer) {
  if (request.sub_reqs_size() > 0)
    return Status(ErrorCode::kUnimplemented, "hybrid search is not supported yet");
  if (request.has_function_score())
    return Status(ErrorCode::kUnimplemented, "rerank functions are not supported yet");
  if (request.has_highlighter())
    return Status(ErrorCode::kUnimplemented, "the highlighter is not supported yet");
  if (request.has_search_aggregation())
    return Status(ErrorCode::kUnimplemented, "search aggregation is not supported yet");
  if (request.has_ids())
    return Status(ErrorCode::kUnimplemented, "search by primary keys is not supported yet");
  if (!request.namespace_().empty())
    return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
  model::SearchRequest search{
      .name = NameOf(call, request),
      .partitions = {request.partition_names().begin(), request.partition_names().end()},
      .filter = request.dsl(),
      .nq_given = request.nq()};
  TRY_ASSIGN(search.templates, DecodeTemplates(request.expr_template_values()));
  search.output_fields = {request.output_fields().begin(), request.output_fields().end()};
  search.params = DecodePairs(request.search_params());
  if (const std::string* field = model::Find(search.params, "anns_field"))
    search.anns_field = *field;
  search.consistency = ConsistencyOf(request);
  TRY_ASSIGN(search.queries, DecodeQueries(request.placeholder_group()));
  TRY_ASSIGN(const auto result, proxy::Search(call.ctx, call.services, std::move(search)));
  EncodeHits(result, request.collection_name(), answer);
  return {};
}

Status Query(Call& call, const pb::QueryRequest& request, pb::QueryResults& answer) {
  if (!request.namespace_().empty())
    return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
  model::QueryRequest query{
      .name = NameOf(call, request),
      .partitions = {request.partition_names().begin(), request.partition_names().end()},
      .filter = request.expr()};
  TRY_ASSIGN(query.templates, DecodeTemplates(request.expr_template_values()));
  query.output_fields = {request.output_fields().begin(), request.output_fields().end()};
  query.params = DecodePairs(request.query_params());
  query.consistency = ConsistencyOf(request);
  TRY_ASSIGN(const auto result, proxy::Query(call.ctx, call.services, query));
  answer.mutable_status();
  answer.set_collection_name(request.collection_name());
  answer.set_session_ts(result.session.value());
  answer.set_primary_field_name(result.primary_field);
  for (const std::string& name : result.output_fields) answer.add_output_fields(name);
  for (const model::Column& column : result.columns) EncodeColumn(column, answer.add_fields_data());
  return {};
}

constexpr auto kMethods = std::to_array<Method>({
    {"Insert", Write<pb::InsertRequest>},
    {"Upsert", Write<pb::UpsertRequest>},
    {"Delete", Unary<pb::DeleteRequest, pb::MutationResult, Delete>},
    {"Flush", Unary<pb::FlushRequest, pb::FlushResponse, Flush>},
    {"GetFlushState", Unary<pb::GetFlushStateRequest, pb::GetFlushStateResponse, GetFlushState>},
    {"Search", Unary<pb::SearchRequest, pb::SearchResults, Search>, true},
    {"Query", Unary<pb::QueryRequest, pb::QueryResults, Query>, true},
});

}  // namespace

std::span<const Method> DataMethods() { return kMethods; }

}  // namespace elanus::wire
