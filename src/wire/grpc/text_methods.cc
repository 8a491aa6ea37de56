// Words: what analyzers make of texts.
#include <array>

#include "milvus.pb.h"
#include "proxy/ops.h"
#include "wire/grpc/unary.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;

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

constexpr auto kMethods = std::to_array<Method>({
    {"RunAnalyzer", Unary<pb::RunAnalyzerRequest, pb::RunAnalyzerResponse, RunAnalyzer>},
});

}  // namespace

std::span<const Method> TextMethods() { return kMethods; }

}  // namespace elanus::wire
