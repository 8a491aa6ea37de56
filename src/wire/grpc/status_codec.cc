// A Status as it stands in answers.
#include "wire/grpc/status_codec.h"

#include "common.pb.h"

namespace elanus::wire {
namespace {

// Length of the UTF-8 character at the start of `text`; 0: the bytes are none. As RFC 3629, table
// in section 4.
size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t bytes = lead >= 0xC2 && lead < 0xE0   ? 2
                       : lead >= 0xE0 && lead < 0xF0 ? 3
                       : lead >= 0xF0 && lead < 0xF5 ? 4
                                                     : 0;
  if (bytes == 0 || text.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool above = lead == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || above ? 0 : bytes;
}

// Messages quote requests, and a quote may cut a character in two; clients refuse a whole answer
// over it.
std::string AsUtf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    out.append(bytes == 0 ? std::string_view("\uFFFD") : text.substr(0, bytes));
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return out;
}

}  // namespace

void EncodeStatus(const elanus::Status& status, milvus::proto::common::Status* to) {
  if (status.ok()) return;
  const ErrorInfo& info = InfoOf(status.code());
  const std::string text = AsUtf8(status.ToString());
  to->set_code(static_cast<int32_t>(status.code()));
  to->set_error_code(static_cast<milvus::proto::common::ErrorCode>(info.legacy_code));
  to->set_reason(text);
  to->set_detail(text);
  to->set_retriable(info.retriable && !info.is_input_error);
  if (info.is_input_error) (*to->mutable_extra_info())["is_input_error"] = "true";
}

}  // namespace elanus::wire
