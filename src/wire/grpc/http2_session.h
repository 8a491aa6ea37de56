// One connection's HTTP/2, without its socket: bytes come in, whole calls go out; answers come in,
// bytes go out. The protocol itself is nghttp2's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire/grpc/call_status.h"

namespace elanus::wire {

/// Streams of one connection have numbers that never come again.
using StreamId = int32_t;

/// A call whose bytes are all there.
struct ReceivedCall {
  StreamId stream = 0;
  std::string path = {};
  std::string database = {};  // Header `dbname`.
  int64_t timeout_us = -1;    // Less than zero: none.
  CallStatus problem = {};    // Not ok: there is no message, this is the answer.
  std::string body = {};      // With `message` in it.
  std::string_view message() const { return std::string_view(body).substr(message_begin); }
  size_t message_begin = 0;
};

struct SessionLimits {
  size_t receive_bytes_max = 64 << 20;
  uint32_t streams_max = 1024;  // Calls at a time.
};

/// Not thread-safe.
class Http2Session {
 public:
  explicit Http2Session(const SessionLimits& limits);
  ~Http2Session();

  /// Takes what came. Appends calls that are whole now to `calls`, and streams that ended before
  /// they were answered to `gone`. False: the peer does not speak the protocol; TakeOutput still
  /// says why, then the connection is to be closed.
  bool Receive(std::string_view bytes, std::vector<ReceivedCall>& calls,
               std::vector<StreamId>& gone);
  /// The answer's message. Nothing happens when the stream is gone.
  void Answer(StreamId stream, std::string message);
  /// Ends a call without a message; `status` is not ok.
  void Refuse(StreamId stream, const CallStatus& status);
  /// Tells the peer that no new calls are taken. Those that run may be answered.
  void GoAway();
  /// Appends bytes to send until there are at least `bytes_wanted` in `to` or no more.
  void TakeOutput(size_t bytes_wanted, std::string& to);
  /// Whether nothing more will come either way: the goodbye was said and all calls have ended.
  bool IsOver() const;
  /// Whether TakeOutput would give some now.
  bool WantsToSend() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::wire
