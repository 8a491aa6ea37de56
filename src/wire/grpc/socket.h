// Sockets of the gRPC front: a descriptor that closes itself, listening, and reads and writes that
// do not wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace elanus::wire {

/// Owns a descriptor. Not thread-safe.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }
  void Close();
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Listener {
  Descriptor socket;
  int port = 0;
};

/// Listens on an address (a name or a number of either family) without waiting for connections in
/// Accept. kIoFailed when the port is taken or the address is none of this machine's.
Result<Listener> Listen(const std::string& address, int port);

/// The next connection that waits, which does not delay small messages and notices a peer that has
/// died; none when none waits, or when there are no descriptors left.
Descriptor Accept(const Descriptor& listener, bool& is_out_of_descriptors);

enum class Io { kDone, kWouldWait, kClosed };

/// Reads what there is, `count` bytes of `buffer` at most. kDone: one byte or more.
Io ReadSome(const Descriptor& socket, std::span<char> buffer, size_t& count);
/// Writes as much as goes; removes it from the front of `bytes`. kDone: all.
Io WriteSome(const Descriptor& socket, std::string_view& bytes);

}  // namespace elanus::wire
