// Asking a model service: one exchange of JSON, tried again while the service is in trouble.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "functions/options.h"
#include "http/client.h"

namespace elanus::functions {

struct ServiceCall {
  std::string service;  // How messages name it.
  http::Request request;
  std::vector<std::string> secrets;  // What no message may repeat.
  int64_t timeout_ms = 0;            // For all attempts together.
};

/// Thread-safe. Borrows its parts.
class ServiceCaller {
 public:
  ServiceCaller(Executor& executor, Clock& clock, http::Client& http,
                const FunctionOptions& options);

  /// The answer of status 200. No answer, a cut one, 429 and 5xx are tried again after a pause that
  /// doubles and is up to a quarter longer by chance. Errors: kServiceUnavailable (those to the
  /// end), kFunctionFailed (another status; no JSON), kTooManyRequests (too many wait already),
  /// kCanceled, kDeadlineExceeded.
  Result<nlohmann::json> Call(Context& ctx, const ServiceCall& call);

 private:
  Result<http::Response> SendOnce(Context& ctx, const ServiceCall& call, int64_t timeout_ms);
  Status Pause(Context& ctx, int64_t ms);
  double NextChance();

  Executor& executor_;
  Clock& clock_;
  http::Client& http_;
  const FunctionOptions options_;
  std::atomic<int64_t> running_{0};
  std::atomic<uint64_t> chance_;
};

}  // namespace elanus::functions
