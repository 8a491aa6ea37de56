// Indexes.
#include <array>

#include "milvus.pb.h"
#include "proxy/ops.h"
#include "wire/grpc/schema_codec.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;

Status CreateIndex(Call& call, const pb::CreateIndexRequest& request, common::Status&) {
  return proxy::CreateIndex(call.ctx, call.services,
                            {.name = NameOf(call, request),
                             .field = request.field_name(),
                             .index_name = request.index_name(),
                             .extra_params = DecodePairs(request.extra_params())});
}

void Encode(const model::IndexDescription& from, pb::IndexDescription* to) {
  to->set_index_name(from.info.name);
  to->set_indexid(from.info.id.value());
  to->set_field_name(from.field_name);
  EncodePairs(from.info.user_params, to->mutable_params());
  if (!from.built_as.empty()) {
    auto* pair = to->add_params();
    pair->set_key("built_as");
    pair->set_value(from.built_as);
  }
  to->set_total_rows(from.total_rows);
  to->set_indexed_rows(from.indexed_rows);
  to->set_pending_index_rows(from.pending_rows);
  to->set_state(static_cast<common::IndexState>(from.state));
  to->set_index_state_fail_reason(from.fail_reason);
}

Status DescribeIndex(Call& call, const pb::DescribeIndexRequest& request,
                     pb::DescribeIndexResponse& answer) {
  TRY_ASSIGN(const auto found, proxy::DescribeIndex(call.ctx, call.services, NameOf(call, request),
                                                    request.field_name(), request.index_name()));
  answer.mutable_status();
  for (const auto& description : found) Encode(description, answer.add_index_descriptions());
  return {};
}

Status GetIndexStatistics(Call& call, const pb::GetIndexStatisticsRequest& request,
                          pb::GetIndexStatisticsResponse& answer) {
  TRY_ASSIGN(const auto found, proxy::DescribeIndex(call.ctx, call.services, NameOf(call, request),
                                                    "", request.index_name()));
  answer.mutable_status();
  for (const auto& description : found) Encode(description, answer.add_index_descriptions());
  return {};
}

template <class Request>
Result<model::IndexDescription> OnlyOne(Call& call, const Request& request) {
  TRY_ASSIGN(auto found, proxy::DescribeIndex(call.ctx, call.services, NameOf(call, request),
                                              request.field_name(), request.index_name()));
  if (found.size() > 1) {
    return Error(ErrorCode::kIndexDuplicate, "{}[indexName={}]",
                 InfoOf(ErrorCode::kIndexDuplicate).name, request.index_name());
  }
  return std::move(found[0]);
}

Status GetIndexState(Call& call, const pb::GetIndexStateRequest& request,
                     pb::GetIndexStateResponse& answer) {
  TRY_ASSIGN(const auto found, OnlyOne(call, request));
  answer.mutable_status();
  answer.set_state(static_cast<common::IndexState>(found.state));
  answer.set_fail_reason(found.fail_reason);
  return {};
}

Status GetIndexBuildProgress(Call& call, const pb::GetIndexBuildProgressRequest& request,
                             pb::GetIndexBuildProgressResponse& answer) {
  TRY_ASSIGN(const auto found, OnlyOne(call, request));
  answer.mutable_status();
  answer.set_indexed_rows(found.indexed_rows);
  answer.set_total_rows(found.total_rows);
  return {};
}

Status AlterIndex(Call& call, const pb::AlterIndexRequest& request, common::Status&) {
  return proxy::AlterIndex(
      call.ctx, call.services, NameOf(call, request), request.index_name(),
      {.set = DecodePairs(request.extra_params()),
       .remove = {request.delete_keys().begin(), request.delete_keys().end()}});
}

Status DropIndex(Call& call, const pb::DropIndexRequest& request, common::Status&) {
  return proxy::DropIndex(call.ctx, call.services, NameOf(call, request), request.field_name(),
                          request.index_name());
}

constexpr auto kMethods = std::to_array<Method>({
    {"CreateIndex", Unary<pb::CreateIndexRequest, common::Status, CreateIndex>},
    {"DescribeIndex", Unary<pb::DescribeIndexRequest, pb::DescribeIndexResponse, DescribeIndex>},
    {"GetIndexStatistics",
     Unary<pb::GetIndexStatisticsRequest, pb::GetIndexStatisticsResponse, GetIndexStatistics>},
    {"GetIndexState", Unary<pb::GetIndexStateRequest, pb::GetIndexStateResponse, GetIndexState>},
    {"GetIndexBuildProgress", Unary<pb::GetIndexBuildProgressRequest,
                                    pb::GetIndexBuildProgressResponse, GetIndexBuildProgress>},
    {"AlterIndex", Unary<pb::AlterIndexRequest, common::Status, AlterIndex>},
    {"DropIndex", Unary<pb::DropIndexRequest, common::Status, DropIndex>},
});

}  // namespace

std::span<const Method> IndexMethods() { return kMethods; }

}  // namespace elanus::wire
