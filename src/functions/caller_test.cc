// Model services in trouble are asked again; what they say is passed on without secrets.
#include "functions/caller.h"

#include <gtest/gtest.h>

#include "functions/errors.h"
#include "functions/testing/fake_http.h"

namespace elanus::functions {
namespace {

struct Fixture {
  explicit Fixture(FakeHttp::Answer answer, FunctionOptions options = {.backoff_ms = 1})
      : http(std::move(answer)), caller(*executor, clock, http, options), ctx(clock) {}
  Result<nlohmann::json> Call(int64_t timeout_ms = 10'000) {
    return caller.Call(ctx, {.service = "model service x",
                             .request = {.url = "http://x"},
                             .secrets = {"hush"},
                             .timeout_ms = timeout_ms});
  }
  std::unique_ptr<Executor> executor = MakeThreadExecutor();
  SystemClock clock;
  FakeHttp http;
  ServiceCaller caller;
  Context ctx;
};

FakeHttp::Answer Statuses(std::vector<int> statuses) {
  return [statuses, next = size_t{0}](const http::Request&) mutable -> Result<http::Response> {
    const int status = statuses[std::min(next++, statuses.size() - 1)];
    if (status == 0) return Status(ErrorCode::kServiceUnavailable, "no answer");
    return http::Response{.status = status, .body = status == 200 ? "[7]" : "bad key hush\n!"};
  };
}

TEST(ServiceCaller, TriesAgainWhileTheServiceIsInTrouble) {
  for (const int trouble : {0, 429, 500, 503}) {
    Fixture f(Statuses({trouble, trouble, 200}));
    const auto answer = f.Call();
    ASSERT_TRUE(answer.ok()) << answer.status().ToString();
    EXPECT_EQ(*answer, nlohmann::json({7}));
    EXPECT_EQ(f.http.requests.size(), 3u);
  }
}

TEST(ServiceCaller, GivesUpAfterItsAttempts) {
  for (const int trouble : {0, 429, 502}) {
    Fixture f(Statuses({trouble}));
    EXPECT_EQ(f.Call().status().code(), ErrorCode::kServiceUnavailable);
    EXPECT_EQ(f.http.requests.size(), 3u);
  }
}

TEST(ServiceCaller, DoesNotRepeatWhatIsWrongAndKeepsSecrets) {
  Fixture f(Statuses({401}));
  const Status status = f.Call().status();
  EXPECT_EQ(status.code(), kFunctionFailed);
  EXPECT_EQ(status.message(), "model service x answers with HTTP status 401: bad key *** !");
  EXPECT_EQ(f.http.requests.size(), 1u);
}

TEST(ServiceCaller, WantsJson) {
  Fixture f(
      [](const http::Request&) { return http::Response{.status = 200, .body = "{\"a\": [1, "}; });
  EXPECT_EQ(f.Call().status().code(), kFunctionFailed);
}

TEST(ServiceCaller, StaysInsideItsTime) {
  Fixture f(Statuses({500}), {.backoff_ms = 10'000});
  const int64_t begin_us = f.clock.MonotonicUs();
  EXPECT_EQ(f.Call(/*timeout_ms=*/200).status().code(), ErrorCode::kServiceUnavailable);
  EXPECT_LT(f.clock.MonotonicUs() - begin_us, 5'000'000);
  EXPECT_EQ(f.http.requests.size(), 1u) << "a pause that is too long is not begun";
}

TEST(ServiceCaller, StopsWhenItsCallerGoes) {
  Fixture f(Statuses({500}), {.backoff_ms = 5'000});
  f.ctx.Cancel();
  EXPECT_EQ(f.Call().status().code(), ErrorCode::kCanceled);
  EXPECT_EQ(f.http.requests.size(), 1u);
}

TEST(ServiceCaller, RefusesOneTooMany) {
  Fixture* inner = nullptr;
  Status second;
  Fixture f(
      [&](const http::Request&) -> Result<http::Response> {
        second = inner->Call().status();
        return http::Response{.status = 200, .body = "1"};
      },
      {.requests_max = 1});
  inner = &f;
  EXPECT_TRUE(f.Call().ok());
  EXPECT_EQ(second.code(), ErrorCode::kTooManyRequests);
}

}  // namespace
}  // namespace elanus::functions
