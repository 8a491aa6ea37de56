// Rows: insert, upsert, delete, flush, search, query.
#include <algorithm>
#include <array>

#include "milvus.pb.h"
#include "proxy/consistency.h"
#include "proxy/ops.h"
#include "wire/grpc/column_codec.h"
#include "wire/grpc/rank_codec.h"
#include "wire/grpc/schema_codec.h"
#include "wire/grpc/search_codec.h"
#include "wire/grpc/struct_codec.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;

template <class Request>
Result<model::WriteRequest> DecodeWrite(const Call& call, const Request& request) {
  model::WriteRequest write{.name = NameOf(call, request), .partition = request.partition_name()};
  write.num_rows = request.num_rows();
  write.schema_timestamp = Timestamp(request.schema_timestamp());
  for (const auto& field : request.fields_data()) {
    TRY(DecodeColumns(field, write.columns));
  }
  if (!request.namespace_().empty())
    return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
  return write;
}

Result<std::vector<model::FieldOp>> DecodeFieldOps(const pb::UpsertRequest& request) {
  using Op = milvus::proto::schema::FieldPartialUpdateOp;
  std::vector<model::FieldOp> ops;
  for (const Op& from : request.field_ops()) {
    model::FieldOp op{.field = from.field_name()};
    switch (from.op()) {
      case Op::REPLACE:
        break;
      case Op::ARRAY_APPEND:
        op.kind = model::FieldOp::Kind::kArrayAppend;
        break;
      case Op::ARRAY_REMOVE:
        op.kind = model::FieldOp::Kind::kArrayRemove;
        break;
      default:
        return Invalid("field operation {} on {} is not known", static_cast<int>(from.op()),
                       op.field);
    }
    for (const auto& field : request.fields_data()) {
      if (field.field_name() == op.field && field.has_scalars()) {
        op.element_type = static_cast<model::DataType>(field.scalars().array_data().element_type());
      }
    }
    ops.push_back(std::move(op));
  }
  return ops;
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
Delivery DeliverWrite(Call& call, Status status, uint32_t rows, pb::MutationResult& answer,
                      std::string& out) {
  call.status = std::move(status);
  if (!call.status.ok()) {
    answer.Clear();
    EncodeStatus(call.status, answer.mutable_status());
    for (uint32_t i = 0; i < rows; ++i) answer.add_err_index(i);
  }
  return answer.SerializeToString(&out) ? Delivery::kDone : Delivery::kTooLarge;
}

template <class Request>
Status RunWrite(Call& call, const Request& request, pb::MutationResult& answer) {
  TRY_ASSIGN(model::WriteRequest write, DecodeWrite(call, request));
  if constexpr (std::is_same_v<Request, pb::UpsertRequest>) {
    write.upsert = true;
    TRY_ASSIGN(write.field_ops, DecodeFieldOps(request));
    write.partial_update =
        request.partial_update() ||
        std::any_of(write.field_ops.begin(), write.field_ops.end(),
                    [](const auto& op) { return op.kind != model::FieldOp::Kind::kReplace; });
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
  call.collection = request->collection_name();
  // A row takes a byte at least. Beyond this check num_rows is trusted with memory.
  if (request->num_rows() > bytes.size()) {
    return DeliverWrite(call,
                        Invalid("num_rows ({}) is more than a request of {} bytes can hold",
                                request->num_rows(), bytes.size()),
                        0, *answer, out);
  }
  Status status = RunWrite(call, *request, *answer);
  return DeliverWrite(call, std::move(status), request->num_rows(), *answer, out);
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

// Whether the read has to wait, which is then left to the server: no thread is held meanwhile.
template <class Read>
bool Waits(Call& call, const Read& read) {
  call.wait_ms = proxy::MsToWait(call.ctx, call.services, read);
  return call.wait_ms > 0;
}

// A search whose answer has marked fragments too.
Status SearchHighlighted(Call& call, const pb::SearchRequest& request, pb::SearchResults& answer) {
  const auto& from = request.highlighter();
  const model::Highlighter highlighter{
      .is_semantic = from.type() == milvus::proto::common::HighlightType::Semantic,
      .params = DecodePairs(from.params())};
  TRY_ASSIGN(model::SearchRequest search, DecodeSearch(call, request));
  if (Waits(call, search)) return {};
  TRY_ASSIGN(const auto found,
             proxy::SearchAndHighlight(call.ctx, call.services, std::move(search), highlighter));
  EncodeHits(found.result, request.collection_name(), answer);
  for (const model::FieldHighlights& field : found.highlights) {
    auto* encoded = answer.mutable_results()->add_highlight_results();
    encoded->set_field_name(field.field);
    for (size_t hit = 0; hit < field.fragments.size(); ++hit) {
      auto* data = encoded->add_datas();
      for (const std::string& fragment : field.fragments[hit]) data->add_fragments(fragment);
      if (field.scores.empty()) continue;
      data->mutable_scores()->Add(field.scores[hit].begin(), field.scores[hit].end());
    }
  }
  return {};
}

Status Search(Call& call, const pb::SearchRequest& request, pb::SearchResults& answer) {
  if (request.has_highlighter()) {
    if (request.sub_reqs_size() > 0) return Invalid("not support hybrid search with highlight now");
    if (request.has_search_aggregation())
      return Invalid("search_aggregation cannot be used with a highlighter");
    return SearchHighlighted(call, request, answer);
  }
  model::SearchResult result;
  if (request.sub_reqs_size() > 0) {
    TRY_ASSIGN(model::HybridSearchRequest hybrid, DecodeSubSearches(call, request));
    if (Waits(call, hybrid)) return {};
    TRY_ASSIGN(result, proxy::HybridSearch(call.ctx, call.services, std::move(hybrid)));
  } else {
    TRY_ASSIGN(model::SearchRequest search, DecodeSearch(call, request));
    if (Waits(call, search)) return {};
    if (!search.aggregation.empty()) {
      TRY_ASSIGN(const auto buckets,
                 proxy::SearchAndAggregate(call.ctx, call.services, std::move(search)));
      EncodeBuckets(buckets, request.collection_name(), answer);
      return {};
    }
    TRY_ASSIGN(result, proxy::Search(call.ctx, call.services, std::move(search)));
  }
  EncodeHits(result, request.collection_name(), answer);
  return {};
}

Status HybridSearch(Call& call, const pb::HybridSearchRequest& request, pb::SearchResults& answer) {
  TRY_ASSIGN(model::HybridSearchRequest hybrid, DecodeHybrid(call, request));
  if (Waits(call, hybrid)) return {};
  TRY_ASSIGN(const auto result, proxy::HybridSearch(call.ctx, call.services, std::move(hybrid)));
  EncodeHits(result, request.collection_name(), answer);
  return {};
}

Status Query(Call& call, const pb::QueryRequest& request, pb::QueryResults& answer) {
  TRY_ASSIGN(const model::QueryRequest query, DecodeQuery(call, request));
  if (Waits(call, query)) return {};
  TRY_ASSIGN(const auto result, proxy::Query(call.ctx, call.services, query));
  answer.mutable_status();
  if (!result.explain.empty()) {
    (*answer.mutable_status()->mutable_extra_info())["explain"] = result.explain;
  }
  answer.set_collection_name(request.collection_name());
  answer.set_session_ts(result.session.value());
  answer.set_primary_field_name(result.primary_field);
  for (const std::string& name : result.output_fields) answer.add_output_fields(name);
  EncodeColumns(result.columns, answer.mutable_fields_data());
  const model::ColumnView elements = result.element_indices.view();
  for (size_t row = 0; row < elements.rows; ++row) {
    const std::string_view bytes = elements.Bytes(row);
    auto* indices = answer.add_element_indices()->mutable_indices()->mutable_data();
    indices->Resize(static_cast<int>(bytes.size() / sizeof(int64_t)), 0);
    if (!bytes.empty()) std::memcpy(indices->mutable_data(), bytes.data(), bytes.size());
  }
  return {};
}

constexpr auto kMethods = std::to_array<Method>({
    {"Insert", Write<pb::InsertRequest>},
    {"Upsert", Write<pb::UpsertRequest>},
    {"Delete", Unary<pb::DeleteRequest, pb::MutationResult, Delete>},
    {"Flush", Unary<pb::FlushRequest, pb::FlushResponse, Flush>},
    {"GetFlushState", Unary<pb::GetFlushStateRequest, pb::GetFlushStateResponse, GetFlushState>},
    {"Search", Unary<pb::SearchRequest, pb::SearchResults, Search>, true},
    {"HybridSearch", Unary<pb::HybridSearchRequest, pb::SearchResults, HybridSearch>, true},
    {"Query", Unary<pb::QueryRequest, pb::QueryResults, Query>, true},
});

}  // namespace

std::span<const Method> DataMethods() { return kMethods; }

}  // namespace elanus::wire
