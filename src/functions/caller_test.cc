// Model services in trouble are asked again; what they say is passed on without secrets.
#include "functions/caller.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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
  return [statuses, next = size_t{0}](const HttpRequest&) mutable -> Result<HttpResponse> {
    const int status = statuses[std::min(next++, statuses.size() - 1)];
    if (status == 0) return Status(ErrorCode::kServiceUnavailable, "no answer");
    return HttpResponse{.status = status, .body = status == 200 ? "[7]" : "bad key hush\n!"};
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
  Fixture f([](const HttpRequest&) { return HttpResponse{.status = 200, .body = "{\"a\": [1, "}; });
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
      [&](const HttpRequest&) -> Result<HttpResponse> {
        second = inner->Call().status();
        return HttpResponse{.status = 200, .body = "1"};
      },
      {.requests_max = 1});
  inner = &f;
  EXPECT_TRUE(f.Call().ok());
  EXPECT_EQ(second.code(), ErrorCode::kTooManyRequests);
}

TEST(ShownUrl, HidesWhatMayBeSecret) {
  EXPECT_EQ(ShownUrl("https://me:key@host:8080/path?key=hush"), "https://host:8080/path");
  EXPECT_EQ(ShownUrl("http://host/a@b"), "http://host/a@b");
}

TEST(HttpClient, SaysThatNobodyListensAndWhichAddressesAreNone) {
  SystemClock clock;
  Context ctx(clock);
  const auto http = MakeHttpClient({});
  const auto send = [&](const char* url) { return http->Send(ctx, {.url = url}, 2000).status(); };
  EXPECT_EQ(send("http://127.0.0.1:1/x").code(), ErrorCode::kServiceUnavailable);
  EXPECT_EQ(send("file:///etc/hostname").code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(http->Send(ctx, {.url = "http://127.0.0.1:1", .headers = {{"a", "b\r\nc: d"}}}, 100)
                .status()
                .code(),
            ErrorCode::kInvalidParameter);
  ctx.Cancel();
  EXPECT_EQ(send("http://127.0.0.1:1/x").code(), ErrorCode::kCanceled);
}

// A socket that takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    url = fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port));
  }
  ~SilentServer() { ::close(socket_); }
  std::string url;

 private:
  const int socket_;
};

TEST(HttpClient, WaitsNoLongerThanItMayAndItsCallerDoes) {
  const SilentServer server;
  SystemClock clock;
  const auto http = MakeHttpClient({});
  const int64_t begin_us = clock.MonotonicUs();
  Context patient(clock);
  const Status slow = http->Send(patient, {.url = server.url, .body = "x"}, 100).status();
  EXPECT_EQ(slow.code(), ErrorCode::kServiceUnavailable);
  Context hasty(clock, clock.MonotonicUs() + 100'000);
  EXPECT_EQ(http->Send(hasty, {.url = server.url}, 60'000).status().code(),
            ErrorCode::kDeadlineExceeded);
  EXPECT_LT(clock.MonotonicUs() - begin_us, 10'000'000);
}

}  // namespace
}  // namespace elanus::functions
