// grpc.health.v1.Health: the two fields it takes, written by hand.
#pragma once

#include <string>
#include <string_view>

namespace elanus::wire {

inline constexpr std::string_view kHealthCheckPath = "/grpc.health.v1.Health/Check";

/// HealthCheckResponse{status: SERVING}.
inline std::string HealthAnswer() { return std::string("\x08\x01", 2); }

}  // namespace elanus::wire
