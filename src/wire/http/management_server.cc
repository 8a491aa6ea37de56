// The management port on Beast: one worker runs all connections, each bounded in time, all bounded
// in number.
#include "wire/http/management_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>

namespace elanus::wire {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;

constexpr auto kConnectionTime = std::chrono::seconds(10);
constexpr size_t kConnectionsMax = 64;
constexpr size_t kHeaderBytesMax = 8192;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Tcp::socket socket, std::shared_ptr<size_t> open)
      : stream_(std::move(socket)), open_(std::move(open)) {
    ++*open_;
  }
  ~Connection() { --*open_; }

  void Run() {
    parser_.header_limit(kHeaderBytesMax);
    parser_.body_limit(0);
    stream_.expires_after(kConnectionTime);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](beast::error_code error, size_t) {
                       if (!error) self->Answer();
                     });
  }

 private:
  void Answer() {
    const auto& request = parser_.get();
    const bool reads = request.method() == http::verb::get || request.method() == http::verb::head;
    const bool known = request.target() == "/healthz";
    response_.version(request.version());
    response_.keep_alive(false);
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    response_.result(!reads  ? http::status::method_not_allowed
                     : known ? http::status::ok
                             : http::status::not_found);
    response_.body() = !reads  ? "only GET and HEAD are answered here\n"
                       : known ? "OK\n"
                               : "not found; try /healthz\n";
    response_.prepare_payload();
    if (request.method() == http::verb::head) response_.body().clear();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        if (!error)
                          self->stream_.socket().shutdown(Tcp::socket::shutdown_send, error);
                      });
  }

  beast::tcp_stream stream_;
  std::shared_ptr<size_t> open_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

struct ManagementServer::Impl {
  asio::io_context io{1};
  Tcp::acceptor acceptor{io};
  std::shared_ptr<size_t> open = std::make_shared<size_t>(0);  // The worker's alone.
  std::unique_ptr<Worker> worker;
  int port = 0;

  void Accept() {
    acceptor.async_accept([this](beast::error_code error, Tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && *open < kConnectionsMax)
        std::make_shared<Connection>(std::move(socket), open)->Run();
      Accept();
    });
  }
};

ManagementServer::ManagementServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

int ManagementServer::port() const { return impl_->port; }

Result<std::unique_ptr<ManagementServer>> ManagementServer::Start(
    Executor& executor, const ManagementOptions& options) {
  auto impl = std::make_unique<Impl>();
  beast::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  const auto failed = [&] {
    return Error(ErrorCode::kIoFailed, "cannot listen on {}:{} for management: {}", options.address,
                 options.port, error.message());
  };
  if (error) return failed();
  const Tcp::endpoint endpoint(address, static_cast<unsigned short>(options.port));
  impl->acceptor.open(endpoint.protocol(), error);
  if (!error) impl->acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) impl->acceptor.bind(endpoint, error);
  if (!error) impl->acceptor.listen(static_cast<int>(kConnectionsMax), error);
  if (error) return failed();
  impl->port = impl->acceptor.local_endpoint().port();
  impl->Accept();
  impl->worker = executor.Spawn("management", [raw = impl.get()] { raw->io.run(); });
  return std::unique_ptr<ManagementServer>(new ManagementServer(std::move(impl)));
}

ManagementServer::~ManagementServer() {
  impl_->io.stop();
  impl_->worker.reset();
}

}  // namespace elanus::wire
