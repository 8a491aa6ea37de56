// The management port on Beast: one worker runs all connections, each bounded in time, all bounded
// in number.
#include "wire/http/management_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "base/log.h"

namespace elanus::wire {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;

constexpr auto kConnectionTime = std::chrono::seconds(10);
constexpr size_t kConnectionsMax = 64;
constexpr size_t kHeaderBytesMax = 8192;
constexpr size_t kUnreadBytesMax = 1 << 20;
constexpr auto kAcceptPauseMin = std::chrono::milliseconds(20);
constexpr auto kAcceptPauseMax = std::chrono::milliseconds(1000);

// What all connections share.
struct Site {
  ManagementOptions options;
  std::vector<ManagementRoute> routes;
  SystemClock clock;
  std::unique_ptr<Pool> pool;  // Runs the routes. Null without any.

  const ManagementRoute* Find(std::string_view path) const {
    for (const ManagementRoute& route : routes) {
      if (route.path == path) return &route;
    }
    return nullptr;
  }
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Tcp::socket socket, std::shared_ptr<size_t> open, Site& site)
      : stream_(std::move(socket)), open_(std::move(open)), site_(site) {
    ++*open_;
  }
  ~Connection() { --*open_; }

  void Run() {
    parser_.header_limit(kHeaderBytesMax);
    // The header alone decides: a body is never parsed, so its announced length is no error. "No
    // limit" refuses every length in Boost 1.74, hence a number.
    parser_.body_limit(std::numeric_limits<uint64_t>::max());
    stream_.expires_after(kConnectionTime);
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](beast::error_code error, size_t) {
                              if (!error) self->Decide();
                            });
  }

 private:
  void Decide() {
    const auto& request = parser_.get();
    const std::string_view target(request.target().data(), request.target().size());
    const ManagementRoute* route = site_.Find(target.substr(0, target.find('?')));
    if (route == nullptr) return Answer();
    keeps_body_ = request.method() != http::verb::head;
    const size_t mark = target.find('?');
    query_ = mark == std::string_view::npos ? "" : std::string(target.substr(mark + 1));
    using Asked = ManagementRoute::Asked;
    const bool gets = request.method() == http::verb::get;
    switch (route->asked) {
      case Asked::kByGetOrHead:
        if (gets || !keeps_body_) return RunRoute(*route);
        return RefuseMethod("GET, HEAD");
      case Asked::kByGetOrPost:
        if (gets) return RunRoute(*route);
        if (request.method() != http::verb::post) return RefuseMethod("GET, POST");
        break;
      case Asked::kByPost:
        if (request.method() != http::verb::post) return RefuseMethod("POST");
        break;
    }
    // An announced length was let pass with the header; others are watched as they come.
    const auto body_bytes_max = static_cast<uint64_t>(site_.options.body_bytes_max);
    if (parser_.content_length().value_or(0) > body_bytes_max) return RefuseLarge();
    body_parser_.emplace(std::move(parser_));
    body_parser_->body_limit(body_bytes_max);
    http::async_read(stream_, buffer_, *body_parser_,
                     [self = shared_from_this(), route](beast::error_code error, size_t) {
                       if (error == http::error::body_limit) {
                         self->RefuseLarge();
                       } else if (!error) {
                         self->RunRoute(*route);
                       }
                     });
  }

  void RefuseMethod(const std::string& allowed) {
    response_.set(http::field::allow, allowed);
    Write({.status = 405, .content_type = "text/plain", .body = "ask with " + allowed + "\n"});
  }

  void RefuseLarge() {
    Write({.status = 413, .content_type = "text/plain", .body = "the request is too large\n"});
  }

  void RunRoute(const ManagementRoute& route) {
    stream_.expires_after(kConnectionTime + std::chrono::seconds(site_.options.request_s_max));
    const Status queued = site_.pool->Submit([self = shared_from_this(), &route]() mutable {
      Site& site = self->site_;
      Context ctx(site.clock, site.clock.MonotonicUs() + site.options.request_s_max * 1'000'000);
      const std::string_view body =
          self->body_parser_ ? std::string_view(self->body_parser_->get().body()) : "";
      HttpAnswer answer = route.run(ctx, self->query_, body);
      // Handed over whole: the worker may be done with it first, and a connection ends there only.
      const auto executor = self->stream_.get_executor();
      asio::post(executor,
                 [self = std::move(self), answer = std::move(answer)] { self->Write(answer); });
    });
    if (queued.ok()) return;
    Write({.status = 503, .content_type = "text/plain", .body = "too many requests are waiting\n"});
  }

  void Write(const HttpAnswer& answer) {
    response_.version(11);
    response_.keep_alive(false);
    response_.set(http::field::content_type, answer.content_type);
    response_.result(static_cast<unsigned>(answer.status));
    response_.body() = answer.body;
    response_.prepare_payload();
    if (!keeps_body_) response_.body().clear();
    Send();
  }

  void Answer() {
    const auto& request = parser_.get();
    const bool reads = request.method() == http::verb::get || request.method() == http::verb::head;
    const bool known = request.target() == "/healthz";
    response_.version(request.version());
    response_.keep_alive(false);
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    if (!reads) response_.set(http::field::allow, "GET, HEAD");
    response_.result(!reads  ? http::status::method_not_allowed
                     : known ? http::status::ok
                             : http::status::not_found);
    response_.body() = !reads  ? "only GET and HEAD are answered here\n"
                       : known ? "OK\n"
                               : "not found; try /healthz\n";
    response_.prepare_payload();
    if (request.method() == http::verb::head) response_.body().clear();
    Send();
  }

  void Send() {
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        if (error) return;
                        self->stream_.socket().shutdown(Tcp::socket::shutdown_send, error);
                        if (!error) self->ReadRest();
                      });
  }

  // Closing a socket with unread bytes resets the connection, and the client may lose the answer.
  void ReadRest() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kHeaderBytesMax),
                            [self = shared_from_this()](beast::error_code error, size_t bytes) {
                              self->unread_bytes_ += bytes;
                              if (!error && self->unread_bytes_ < kUnreadBytesMax) self->ReadRest();
                            });
  }

  beast::tcp_stream stream_;
  std::shared_ptr<size_t> open_;
  Site& site_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  std::optional<http::request_parser<http::string_body>> body_parser_;  // Of a route's request.
  std::string query_;
  bool keeps_body_ = true;
  http::response<http::string_body> response_;
  size_t unread_bytes_ = 0;
};

}  // namespace

// All members belong to the worker once it runs. Connections refer to the site, and lie in `io`.
struct ManagementServer::Impl {
  Site site;
  asio::io_context io{1};
  Tcp::acceptor acceptor{io};
  asio::steady_timer pause{io};
  std::chrono::milliseconds pause_time = kAcceptPauseMin;
  std::shared_ptr<size_t> open = std::make_shared<size_t>(0);
  std::unique_ptr<Worker> worker;
  int port = 0;

  Status Listen(const ManagementOptions& options);
  void Accept();
  void AcceptLater(const beast::error_code& error);
  void Serve();
};

Status ManagementServer::Impl::Listen(const ManagementOptions& options) {
  beast::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  const Tcp::endpoint endpoint(address, static_cast<unsigned short>(options.port));
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(static_cast<int>(kConnectionsMax), error);
  if (!error) port = acceptor.local_endpoint(error).port();
  if (!error) return {};
  return Error(ErrorCode::kIoFailed, "cannot listen on {}:{} for management: {}", options.address,
               options.port, error.message());
}

void ManagementServer::Impl::Accept() {
  acceptor.async_accept([this](beast::error_code error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) return AcceptLater(error);
    pause_time = kAcceptPauseMin;
    Accept();  // First, so that a connection that fails does not end it.
    if (*open < kConnectionsMax) {
      std::make_shared<Connection>(std::move(socket), open, site)->Run();
    }
  });
}

// Errors such as "too many open files" last, and the waiting connection would report them at once
// again.
void ManagementServer::Impl::AcceptLater(const beast::error_code& error) {
  if (pause_time == kAcceptPauseMin)
    LogWarn("the management port cannot accept error=\"{}\"", error.message());
  pause.expires_after(pause_time);
  pause_time = std::min(2 * pause_time, kAcceptPauseMax);
  pause.async_wait([this](beast::error_code aborted) {
    if (!aborted) Accept();
  });
}

void ManagementServer::Impl::Serve() {
  while (!io.stopped()) {
    try {
      io.run();
    } catch (const std::exception& e) {
      // It ends one connection; the others go on.
      LogError("a management connection failed error=\"{}\"", e.what());
    }
  }
}

ManagementServer::ManagementServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

int ManagementServer::port() const { return impl_->port; }

Result<std::unique_ptr<ManagementServer>> ManagementServer::Start(
    Executor& executor, const ManagementOptions& options, std::vector<ManagementRoute> routes) {
  try {
    auto impl = std::make_unique<Impl>();
    impl->site.options = options;
    impl->site.routes = std::move(routes);
    if (!impl->site.routes.empty()) {
      impl->site.pool = std::make_unique<Pool>(executor, "management", 1,
                                               static_cast<size_t>(options.waiting_max));
    }
    TRY(impl->Listen(options));
    impl->Accept();
    impl->worker = executor.Spawn("management", [raw = impl.get()] { raw->Serve(); });
    return std::unique_ptr<ManagementServer>(new ManagementServer(std::move(impl)));
  } catch (const std::exception& e) {
    // Asio throws where a constructor gets no descriptor.
    return Error(ErrorCode::kIoFailed, "cannot serve management on {}:{}: {}", options.address,
                 options.port, e.what());
  }
}

ManagementServer::~ManagementServer() {
  impl_->io.stop();
  impl_->worker.reset();
  // What a route still does ends here; its answer finds nobody.
  impl_->site.pool.reset();
}

}  // namespace elanus::wire
