// One client's connection: its socket, its HTTP/2, and the calls of it that run.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "wire/grpc/http2_session.h"
#include "wire/grpc/socket.h"

namespace elanus::wire {

/// Thread-safe: events of a connection come to any polling thread, answers from any worker.
class Connection {
 public:
  Connection(uint64_t id, Descriptor socket, const SessionLimits& limits, Clock& clock);

  uint64_t id() const { return id_; }
  int fd() const { return socket_.fd(); }

  /// A call that has come, with the context that ends when its caller leaves.
  struct Started {
    ReceivedCall call;
    std::shared_ptr<Context> context;
  };
  struct Arrival {
    std::vector<Started> calls;
    bool has_more = false;   // The socket may hold more: read again.
    bool is_closed = false;  // Nothing can be read or written any more: to be closed.
    bool owes_output = false;
  };
  /// Reads what the socket holds, some buffers of it at most. `has_ended`: the peer will send no
  /// more, which no later event says again.
  Arrival Read(std::span<char> buffer, bool has_ended);

  /// The end of a call; at once on its way, with what else is to be sent.
  void Answer(StreamId stream, std::string message);
  void Refuse(StreamId stream, const CallStatus& status);
  /// Sends what there is and the socket takes; the rest goes when the socket says so. False: the
  /// connection is over and is to be closed.
  bool Flush();
  /// No new calls.
  void GoAway();
  void CancelCalls();
  /// Cancels its calls and closes the socket. What still runs may end; nobody hears of it.
  void Close();
  /// Whether bytes wait for the socket to take them.
  bool HasUnsent() const;

 private:
  bool FlushLocked();

  const uint64_t id_;
  Clock& clock_;
  mutable std::mutex mutex_;  // Guards all below; held while a socket takes bytes, never longer.
  Descriptor socket_;
  Http2Session session_;
  std::unordered_map<StreamId, std::shared_ptr<Context>> running_;
  std::string output_;  // Bytes on their way,
  size_t sent_ = 0;     // and how many of them the socket took.
  bool is_closed_ = false;
};

}  // namespace elanus::wire
