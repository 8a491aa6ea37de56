// Calls the server as any client does: the public contract over gRPC, without generated stubs.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "base/status.h"
#include "milvus.pb.h"

namespace elanus::cases {

class Client {
 public:
  explicit Client(int port)
      : channel_(grpc::CreateChannel(fmt::format("127.0.0.1:{}", port),
                                     grpc::InsecureChannelCredentials())) {}

  /// The answer, or the error that stands in it with its code and reason.
  template <class Answer, class Request>
  Result<Answer> Call(const char* name, const Request& request) {
    const std::string path = fmt::format("/milvus.proto.milvus.MilvusService/{}", name);
    const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC,
                                           channel_);
    grpc::ClientContext context;
    context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                                      gpr_time_from_seconds(kTimeoutSeconds, GPR_TIMESPAN)));
    Answer answer;
    const grpc::Status sent =
        grpc::internal::BlockingUnaryCall<Request, Answer, grpc::protobuf::MessageLite,
                                          grpc::protobuf::MessageLite>(channel_.get(), method,
                                                                       &context, request, &answer);
    if (!sent.ok()) {
      return Error(ErrorCode::kUnexpected, "{} fails with gRPC status {}: {}", name,
                   static_cast<int>(sent.error_code()), sent.error_message());
    }
    const auto& status = StatusOf(answer);
    if (status.code() == 0) return answer;
    return Status(static_cast<ErrorCode>(status.code()), status.reason());
  }

 private:
  static constexpr int64_t kTimeoutSeconds = 60;

  static const milvus::proto::common::Status& StatusOf(const milvus::proto::common::Status& s) {
    return s;
  }
  template <class Answer>
  static const milvus::proto::common::Status& StatusOf(const Answer& answer) {
    return answer.status();
  }

  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace elanus::cases
