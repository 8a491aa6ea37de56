// An HTTP exchange: who is asked, and how long it may take.
#include "http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

namespace elanus::http {
namespace {

TEST(ShownUrl, HidesWhatMayBeSecret) {
  EXPECT_EQ(ShownUrl("https://me:key@host:8080/path?key=hush"), "https://host:8080/path");
  EXPECT_EQ(ShownUrl("http://host/a@b"), "http://host/a@b");
}

TEST(HttpClient, SaysThatNobodyListensAndWhichAddressesAreNone) {
  SystemClock clock;
  Context ctx(clock);
  const auto http = MakeClient({});
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
  const auto http = MakeClient({});
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
}  // namespace elanus::http
