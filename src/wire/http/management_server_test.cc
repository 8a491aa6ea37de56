// The management port as probes see it: answers to good and bad requests, and its limits.
#include "wire/http/management_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <optional>
#include <random>

namespace elanus::wire {
namespace {

constexpr int kPatienceMs = 20'000;

// The undefined behaviour sanitizer opens a pipe to look at memory, and reports errors that are
// none when it gets no descriptors for it.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kNeedsDescriptors = true;
#else
constexpr bool kNeedsDescriptors = false;
#endif

/// A connection to the loopback address; the descriptor is taken when it is made.
class Socket {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) { EXPECT_GE(fd_, 0); }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool Connect(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  bool HasAnswer(int wait_ms) {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, wait_ms) > 0;
  }
  /// All the server says until it closes; nothing where the connection was reset.
  std::optional<std::string> ReadAll() {
    std::string answer;
    char buffer[4096];
    while (HasAnswer(kPatienceMs)) {
      const ssize_t bytes = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (bytes == 0) return answer;
      if (bytes < 0) return std::nullopt;
      answer.append(buffer, static_cast<size_t>(bytes));
    }
    return std::nullopt;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// So many descriptors and no more, until it goes.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(int descriptors) {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit lower = before_;
    lower.rlim_cur = static_cast<rlim_t>(descriptors);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  }
  ~DescriptorLimit() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

double CpuSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

class ManagementServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = ManagementServer::Start(*executor_, {.address = "127.0.0.1", .port = 0});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }
  std::string Ask(const std::string& request) {
    Socket socket;
    EXPECT_TRUE(socket.Connect(server_->port()));
    socket.Send(request);
    const auto answer = socket.ReadAll();
    EXPECT_TRUE(answer.has_value()) << "reset or silent after " << request.substr(0, 60);
    return answer.value_or("");
  }
  static std::string Get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  void ExpectHealthy() { EXPECT_TRUE(Ask(Get("/healthz")).starts_with("HTTP/1.1 200 ")); }
  /// After clients have gone: the server hears of it soon, not at once.
  void ExpectHealthySoon() {
    bool healthy = false;
    for (int i = 0; i < 100 && !healthy; ++i) {
      Socket socket;
      ASSERT_TRUE(socket.Connect(server_->port()));
      socket.Send(Get("/healthz"));
      healthy = socket.ReadAll().value_or("").starts_with("HTTP/1.1 200 ");
    }
    EXPECT_TRUE(healthy);
  }

  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  std::unique_ptr<ManagementServer> server_;
};

TEST_F(ManagementServerTest, HealthIsOk) {
  const std::string answer = Ask(Get("/healthz"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nOK\n")) << answer;
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos) << answer;
}

TEST_F(ManagementServerTest, HeadHasTheHeaderOfGetAndNoBody) {
  const std::string answer = Ask("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(ManagementServerTest, OtherPathsAreNotFound) {
  for (const char* path : {"/", "/healthz/", "/HEALTHZ", "/metrics"})
    EXPECT_TRUE(Ask(Get(path)).starts_with("HTTP/1.1 404 ")) << path;
}

TEST_F(ManagementServerTest, OtherMethodsAreRefusedAlsoWithABody) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    for (size_t length : {size_t{0}, size_t{1}, size_t{100}, size_t{300'000}}) {
      const std::string answer =
          Ask(std::string(method) + " /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
              std::to_string(length) + "\r\n\r\n" + std::string(length, 'x'));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << method << length << answer;
      EXPECT_NE(answer.find("Allow: GET, HEAD\r\n"), std::string::npos) << answer;
    }
  }
}

TEST_F(ManagementServerTest, ABodyThatIsAnnouncedNeedNotCome) {
  const std::string answer =
      Ask("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n"
          "Expect: 100-continue\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
  EXPECT_TRUE(Ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(Ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
                  .starts_with("HTTP/1.1 200 "));
}

TEST_F(ManagementServerTest, HeadersTooLongAndBytesThatAreNoHttpAreClosedAndItGoesOn) {
  std::mt19937 random(9);
  for (size_t length : {1, 100, 10'000}) {
    Socket socket;
    ASSERT_TRUE(socket.Connect(server_->port()));
    for (size_t i = 0; i < length; ++i) {
      const char byte = static_cast<char>(random());
      socket.Send({&byte, 1});
    }
  }
  Socket socket;
  ASSERT_TRUE(socket.Connect(server_->port()));
  socket.Send("GET /healthz HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_NE(socket.ReadAll().value_or("").substr(0, 12), "HTTP/1.1 200");
  ExpectHealthy();
}

TEST_F(ManagementServerTest, ConnectionsBeyondTheLimitAreClosedAndTheOthersAreAnswered) {
  std::vector<Socket> silent;
  int closed = 0;
  for (int i = 0; i < 80; ++i) {
    silent.emplace_back();
    ASSERT_TRUE(silent.back().Connect(server_->port()));
  }
  EXPECT_TRUE(silent.back().HasAnswer(kPatienceMs)) << "the last one is closed";
  for (Socket& socket : silent) closed += socket.HasAnswer(0) ? 1 : 0;
  EXPECT_EQ(closed, 16) << "64 may be open";
  Socket& first = silent.front();
  first.Send(Get("/healthz"));
  EXPECT_TRUE(first.ReadAll().value_or("").starts_with("HTTP/1.1 200 "));
  silent.clear();
  ExpectHealthySoon();
}

TEST_F(ManagementServerTest, WithoutDescriptorsItWaitsInsteadOfSpinningAndThenAnswers) {
  if (kNeedsDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  ExpectHealthy();
  Socket socket;
  double used_s = 0;
  {
    DescriptorLimit limit(0);
    const double begin_s = CpuSeconds();
    ASSERT_TRUE(socket.Connect(server_->port()));
    socket.Send(Get("/healthz"));
    EXPECT_FALSE(socket.HasAnswer(/*wait_ms=*/600));
    used_s = CpuSeconds() - begin_s;
  }
  EXPECT_LT(used_s, 0.1) << "of 0.6 s";
  EXPECT_TRUE(socket.ReadAll().value_or("").starts_with("HTTP/1.1 200 "));
}

TEST_F(ManagementServerTest, StartingWithoutDescriptorsIsAnError) {
  if (kNeedsDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  DescriptorLimit limit(0);
  const auto server = ManagementServer::Start(*executor_, {.address = "127.0.0.1", .port = 0});
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.status().code(), ErrorCode::kIoFailed);
}

TEST_F(ManagementServerTest, APortInUseAndAnAddressThatIsNoneAreRefused) {
  for (const char* address : {"127.0.0.1", "not an address", "999.0.0.1"}) {
    const auto server =
        ManagementServer::Start(*executor_, {.address = address, .port = server_->port()});
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.status().code(), ErrorCode::kIoFailed);
    EXPECT_NE(server.status().message().find(address), std::string::npos);
    EXPECT_NE(server.status().message().find(std::to_string(server_->port())), std::string::npos);
  }
  ExpectHealthy();
}

TEST_F(ManagementServerTest, StoppingClosesWhatIsOpen) {
  Socket silent;
  ASSERT_TRUE(silent.Connect(server_->port()));
  ExpectHealthy();
  server_.reset();
  EXPECT_EQ(silent.ReadAll().value_or(""), "");
}

class ManagementRoutesTest : public ManagementServerTest {
 protected:
  void SetUp() override {
    const auto echo = [](Context& ctx, std::string_view query, std::string_view body) {
      EXPECT_TRUE(ctx.CheckAlive().ok());
      return HttpAnswer{.status = query == "bad" ? 400 : 200,
                        .content_type = "text/plain",
                        .body = std::string(query) + "|" + std::string(body)};
    };
    auto server = ManagementServer::Start(
        *executor_, {.address = "127.0.0.1", .port = 0, .body_bytes_max = 1024},
        {{.path = "/echo", .run = echo},
         {.path = "/count", .run = echo, .asked = ManagementRoute::Asked::kByGetOrHead},
         {.path = "/do", .run = echo, .asked = ManagementRoute::Asked::kByGetOrPost}});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }
  static std::string Post(const std::string& path, const std::string& body) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
};

TEST_F(ManagementRoutesTest, ARouteAnswersItsPathAndTheOthersStay) {
  const std::string answer = Ask(Post("/echo?a=1", "some body"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\na=1|some body")) << answer;
  EXPECT_TRUE(Ask(Post("/echo?bad", "")).starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Ask(Post("/echo/more", "")).starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(Ask(Get("/other")).starts_with("HTTP/1.1 404 "));
  ExpectHealthy();
}

TEST_F(ManagementRoutesTest, ARouteThatIsReadIsAskedWithoutABody) {
  const std::string answer = Ask(Get("/count?a=1"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\na=1|")) << answer;
  const std::string head = Ask("HEAD /count HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n")) << head;
  const std::string posted = Ask(Post("/count", "x"));
  EXPECT_TRUE(posted.starts_with("HTTP/1.1 405 ")) << posted;
  EXPECT_NE(posted.find("Allow: GET, HEAD"), std::string::npos) << posted;
  ExpectHealthy();
}

TEST_F(ManagementRoutesTest, ARouteMayBeAskedEitherWay) {
  const std::string got = Ask(Get("/do?a=1"));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ") && got.ends_with("\r\n\r\na=1|")) << got;
  const std::string posted = Ask(Post("/do?a=1", "x"));
  EXPECT_TRUE(posted.starts_with("HTTP/1.1 200 ") && posted.ends_with("a=1|x")) << posted;
  const std::string head = Ask("HEAD /do HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 405 ")) << "it would do what nobody asked for" << head;
  EXPECT_NE(head.find("Allow: GET, POST"), std::string::npos) << head;
}

// Connections end on the server's own worker, whoever is done with them first.
TEST_F(ManagementRoutesTest, ClientsThatLeaveBeforeTheAnswerMakeRoomForOthers) {
  for (int i = 0; i < 500; ++i) {
    Socket socket;
    ASSERT_TRUE(socket.Connect(server_->port()));
    socket.Send(Post("/echo", "body"));
  }
  ExpectHealthySoon();
}

TEST_F(ManagementRoutesTest, OtherMethodsAndLargeBodiesAreRefused) {
  const std::string got = Ask(Get("/echo"));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 405 ")) << got;
  EXPECT_NE(got.find("Allow: POST"), std::string::npos) << got;
  EXPECT_TRUE(Ask(Post("/echo", std::string(1025, 'x'))).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(Ask(Post("/echo", std::string(1024, 'x'))).starts_with("HTTP/1.1 200 "));
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n" +
      std::string(0x401, 'x') + "\r\n0\r\n\r\n";
  EXPECT_TRUE(Ask(chunked).starts_with("HTTP/1.1 413 "));
  ExpectHealthy();
}

}  // namespace
}  // namespace elanus::wire
