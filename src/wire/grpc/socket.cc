// Sockets of the gRPC front.
#include "wire/grpc/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace elanus::wire {
namespace {

constexpr int kBacklog = 1024;
// A peer that does not answer the kernel for so long has died.
constexpr int kAliveIdleSeconds = 60;
constexpr int kAliveStepSeconds = 10;
constexpr int kAliveSteps = 3;

void SetOption(const Descriptor& socket, int level, int name, int value) {
  // Only hints: a socket without them works.
  (void)::setsockopt(socket.fd(), level, name, &value, sizeof(value));
}

int PortOf(const Descriptor& socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  if (::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

}  // namespace

void Descriptor::Close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<Listener> Listen(const std::string& address, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(address.empty() ? nullptr : address.c_str(),
                                   std::to_string(port).c_str(), &hints, &found);
  if (failed != 0)
    return Error(ErrorCode::kIoFailed, "cannot listen on {}: {}", address, ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* candidate = found; candidate != nullptr; candidate = candidate->ai_next) {
    Descriptor socket(::socket(candidate->ai_family,
                               candidate->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                               candidate->ai_protocol));
    // Connections that linger after a restart do not hold the port.
    if (socket) SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    if (socket && ::bind(socket.fd(), candidate->ai_addr, candidate->ai_addrlen) == 0 &&
        ::listen(socket.fd(), kBacklog) == 0) {
      const int bound = PortOf(socket);
      return Listener{.socket = std::move(socket), .port = bound};
    }
    error = errno;
  }
  return Error(ErrorCode::kIoFailed,
               "cannot listen on {}:{}: the port is in use or not allowed ({})", address, port,
               std::strerror(error));
}

Descriptor Accept(const Descriptor& listener, bool& is_out_of_descriptors) {
  Descriptor socket(::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  is_out_of_descriptors = !socket && (errno == EMFILE || errno == ENFILE);
  if (!socket) return socket;
  SetOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, kAliveIdleSeconds);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPINTVL, kAliveStepSeconds);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPCNT, kAliveSteps);
  return socket;
}

Io ReadSome(const Descriptor& socket, std::span<char> buffer, size_t& count) {
  ssize_t got = 0;
  do {
    got = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Io::kWouldWait;
  if (got <= 0) return Io::kClosed;
  count = static_cast<size_t>(got);
  return Io::kDone;
}

Io WriteSome(const Descriptor& socket, std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Io::kWouldWait;
    if (sent < 0) return Io::kClosed;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return Io::kDone;
}

}  // namespace elanus::wire
