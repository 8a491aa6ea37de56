// A Status as it stands in answers.
#include "wire/grpc/status_codec.h"

#include "common.pb.h"

namespace elanus::wire {

void EncodeStatus(const elanus::Status& status, milvus::proto::common::Status* to) {
  if (status.ok()) return;
  const ErrorInfo& info = InfoOf(status.code());
  const std::string text = status.ToString();
  to->set_code(static_cast<int32_t>(status.code()));
  to->set_error_code(static_cast<milvus::proto::common::ErrorCode>(info.legacy_code));
  to->set_reason(text);
  to->set_detail(text);
  to->set_retriable(info.retriable && !info.is_input_error);
  if (info.is_input_error) (*to->mutable_extra_info())["is_input_error"] = "true";
}

}  // namespace elanus::wire
