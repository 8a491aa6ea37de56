// How a gRPC call ends below its message: the codes of gRPC that we answer, with a text.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace elanus::wire {

/// Numbers of the protocol.
enum class CallCode {
  kOk = 0,
  kInvalidArgument = 3,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
};

struct CallStatus {
  CallCode code = CallCode::kOk;
  std::string text = {};

  bool ok() const { return code == CallCode::kOk; }
};

}  // namespace elanus::wire
