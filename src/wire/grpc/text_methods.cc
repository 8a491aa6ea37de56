// Words: what analyzers make of texts, and the files that they read words from.
#include <array>

#include "milvus.pb.h"
#include "proxy/file_resources.h"
#include "proxy/ops.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;

Status RunAnalyzer(Call& call, const pb::RunAnalyzerRequest& request,
                   pb::RunAnalyzerResponse& answer) {
  model::RunAnalyzerRequest run{
      .name = NameOf(call, request),
      .field = request.field_name(),
      .analyzer_params = request.analyzer_params(),
      .analyzer_names = {request.analyzer_names().begin(), request.analyzer_names().end()},
      .texts = {request.placeholder().begin(), request.placeholder().end()}};
  TRY_ASSIGN(const auto analyzed, proxy::RunAnalyzer(call.ctx, call.services, run));
  answer.mutable_status();
  for (const auto& tokens : analyzed) {
    auto* result = answer.add_results();
    for (const model::AnalyzedToken& token : tokens) {
      auto* encoded = result->add_tokens();
      encoded->set_token(token.text);
      if (request.with_hash()) encoded->set_hash(token.hash);
      if (!request.with_detail()) continue;
      encoded->set_start_offset(token.begin);
      encoded->set_end_offset(token.end);
      encoded->set_position(token.position);
      encoded->set_position_length(token.length);
    }
  }
  return {};
}

Status ComputePhraseMatchSlop(Call& call, const pb::ComputePhraseMatchSlopRequest& request,
                              pb::ComputePhraseMatchSlopResponse& answer) {
  const model::PhraseSlopRequest asked{
      .analyzer_params = request.analyzer_params(),
      .phrase = request.query_text(),
      .texts = {request.data_texts().begin(), request.data_texts().end()}};
  TRY_ASSIGN(const auto slops, proxy::PhraseSlops(call.ctx, asked));
  answer.mutable_status();
  for (const std::optional<uint32_t>& slop : slops) {
    answer.add_is_match(slop.has_value());
    answer.add_slops(slop.value_or(0));
  }
  return {};
}

Status AddFileResource(Call& call, const pb::AddFileResourceRequest& request, common::Status&) {
  return proxy::AddFileResource(call.ctx, call.services, request.name(), request.path());
}

Status RemoveFileResource(Call& call, const pb::RemoveFileResourceRequest& request,
                          common::Status&) {
  return proxy::RemoveFileResource(call.ctx, call.services, request.name());
}

Status ListFileResources(Call& call, const pb::ListFileResourcesRequest&,
                         pb::ListFileResourcesResponse& answer) {
  TRY_ASSIGN(const auto resources, proxy::ListFileResources(call.services));
  answer.mutable_status();
  for (const model::FileResource& resource : resources) {
    auto* one = answer.add_resources();
    one->set_id(resource.id);
    one->set_name(resource.name);
    one->set_path(resource.path);
  }
  return {};
}

constexpr auto kMethods = std::to_array<Method>({
    {"RunAnalyzer", Unary<pb::RunAnalyzerRequest, pb::RunAnalyzerResponse, RunAnalyzer>},
    {"ComputePhraseMatchSlop", Unary<pb::ComputePhraseMatchSlopRequest,
                                     pb::ComputePhraseMatchSlopResponse, ComputePhraseMatchSlop>},
    {"AddFileResource", Unary<pb::AddFileResourceRequest, common::Status, AddFileResource>},
    {"RemoveFileResource",
     Unary<pb::RemoveFileResourceRequest, common::Status, RemoveFileResource>},
    {"ListFileResources",
     Unary<pb::ListFileResourcesRequest, pb::ListFileResourcesResponse, ListFileResources>},
});

}  // namespace

std::span<const Method> TextMethods() { return kMethods; }

}  // namespace elanus::wire
