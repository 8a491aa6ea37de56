// Calls of model services and their retries.
#include "functions/caller.h"

#include <algorithm>
#include <mutex>

#include "functions/errors.h"

namespace elanus::functions {
namespace {

constexpr size_t kShownBytes = 300;
constexpr int64_t kPauseStepMs = 50;

bool MayHelpToTryAgain(int status) { return status == 429 || status >= 500; }

// The beginning of what the service said, on one line of ASCII, without secrets.
std::string Shown(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
    }
  }
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = ' ';
  }
  return text;
}

// Counts one more for as long as it lives.
class Running {
 public:
  explicit Running(std::atomic<int64_t>& count) : count_(count), number_(++count) {}
  ~Running() { --count_; }
  int64_t number() const { return number_; }

 private:
  std::atomic<int64_t>& count_;
  const int64_t number_;
};

}  // namespace

ServiceCaller::ServiceCaller(Executor& executor, Clock& clock, http::Client& http,
                             const FunctionOptions& options)
    : executor_(executor),
      clock_(clock),
      http_(http),
      options_(options),
      chance_(static_cast<uint64_t>(clock.MonotonicUs())) {}

Result<nlohmann::json> ServiceCaller::Call(Context& ctx, const ServiceCall& call) {
  const Running running(running_);
  if (running.number() > options_.requests_max) {
    return Error(ErrorCode::kTooManyRequests, "{} requests wait for model services already",
                 options_.requests_max);
  }
  const int64_t end_us = clock_.MonotonicUs() + call.timeout_ms * 1000;
  int64_t pause_ms = options_.backoff_ms;
  for (int64_t attempt = 1;; ++attempt) {
    const int64_t left_ms = std::max<int64_t>(1, (end_us - clock_.MonotonicUs()) / 1000);
    auto answer = SendOnce(ctx, call, left_ms);
    const bool is_over = answer.ok() || answer.status().code() != ErrorCode::kServiceUnavailable ||
                         attempt == options_.attempts_max ||
                         clock_.MonotonicUs() + pause_ms * 1000 >= end_us;
    if (!is_over) {
      TRY(Pause(ctx,
                pause_ms + static_cast<int64_t>(static_cast<double>(pause_ms) * NextChance() / 4)));
      pause_ms *= 2;
      continue;
    }
    if (!answer.ok()) {
      return attempt == 1 ? answer.status()
                          : answer.status().WithContext(fmt::format("after {} attempts", attempt));
    }
    auto json = nlohmann::json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
    if (!json.is_discarded()) return json;
    return Error(kFunctionFailed, "the answer of {} is not JSON: {}", call.service,
                 Shown(answer->body, call.secrets));
  }
}

Result<http::Response> ServiceCaller::SendOnce(Context& ctx, const ServiceCall& call,
                                               int64_t timeout_ms) {
  auto answer = http_.Send(ctx, call.request, timeout_ms);
  if (!answer.ok()) return answer.status().WithContext(call.service);
  if (answer->status == 200) return answer;
  const ErrorCode code =
      MayHelpToTryAgain(answer->status) ? ErrorCode::kServiceUnavailable : kFunctionFailed;
  return Error(code, "{} answers with HTTP status {}: {}", call.service, answer->status,
               Shown(std::move(answer->body), call.secrets));
}

Status ServiceCaller::Pause(Context& ctx, int64_t ms) {
  const auto monitor = executor_.MakeMonitor();
  const std::lock_guard<Monitor> lock(*monitor);
  // In steps, so that a caller who goes is noticed.
  for (; ms > 0; ms -= kPauseStepMs) {
    TRY(ctx.CheckAlive());
    monitor->WaitFor(std::min(ms, kPauseStepMs));
  }
  return ctx.CheckAlive();
}

// In [0, 1), by SplitMix64 (Steele, Lea and Flood 2014).
double ServiceCaller::NextChance() {
  uint64_t z = chance_.fetch_add(0x9E3779B97F4A7C15) + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

}  // namespace elanus::functions
