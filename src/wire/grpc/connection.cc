// One client's connection.
#include "wire/grpc/connection.h"

#include <sys/socket.h>

#include <array>

namespace elanus::wire {
namespace {

// Of one connection before others get their turn.
constexpr int kReadsAtOnce = 16;
// Handed to the socket in one go: small answers are one piece, large ones come as it takes them.
constexpr size_t kOutputBytes = 64 << 10;
// What is kept of the memory of a large answer.
constexpr size_t kOutputKept = 256 << 10;

}  // namespace

Connection::Connection(uint64_t id, Descriptor socket, const SessionLimits& limits, Clock& clock)
    : id_(id), clock_(clock), socket_(std::move(socket)), session_(limits) {}

Connection::Arrival Connection::Read(std::span<char> buffer, bool has_ended) {
  Arrival arrival;
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return arrival;
  std::vector<ReceivedCall> calls;
  std::vector<StreamId> gone;
  bool is_good = true;
  Io io = Io::kDone;
  for (int reads = 0; is_good && io == Io::kDone; ++reads) {
    if (reads == kReadsAtOnce) {
      arrival.has_more = true;
      break;
    }
    size_t count = 0;
    io = ReadSome(socket_, buffer, count);
    if (io != Io::kDone) break;
    is_good = session_.Receive({buffer.data(), count}, calls, gone);
    // Less than was asked for: there is no more, and the next bytes are a new event.
    if (count < buffer.size() && !has_ended) break;
  }
  for (ReceivedCall& call : calls) {
    const int64_t deadline_us =
        call.timeout_us < 0 ? INT64_MAX : clock_.MonotonicUs() + call.timeout_us;
    auto context = std::make_shared<Context>(clock_, deadline_us);
    running_[call.stream] = context;
    arrival.calls.push_back({.call = std::move(call), .context = std::move(context)});
  }
  for (const StreamId stream : gone) {
    const auto found = running_.find(stream);
    if (found == running_.end()) continue;
    found->second->Cancel();
    running_.erase(found);
  }
  arrival.is_closed = !is_good || io == Io::kClosed || session_.IsOver();
  if (arrival.is_closed) FlushLocked();  // It may still say why.
  arrival.owes_output = session_.WantsToSend();
  return arrival;
}

void Connection::Answer(StreamId stream, std::string message) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return;
  running_.erase(stream);
  session_.Answer(stream, std::move(message));
  FlushLocked();
}

void Connection::Refuse(StreamId stream, const CallStatus& status) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return;
  running_.erase(stream);
  session_.Refuse(stream, status);
  FlushLocked();
}

bool Connection::Flush() {
  std::lock_guard<std::mutex> lock(mutex_);
  return is_closed_ || FlushLocked();
}

bool Connection::FlushLocked() {
  while (true) {
    if (sent_ == output_.size()) {
      sent_ = 0;
      if (output_.capacity() > kOutputKept) output_ = {};
      output_.clear();
      session_.TakeOutput(kOutputBytes, output_);
      if (output_.empty()) return !session_.IsOver();
    }
    std::string_view left = std::string_view(output_).substr(sent_);
    const Io io = WriteSome(socket_, left);
    sent_ = output_.size() - left.size();
    if (io == Io::kWouldWait) return true;
    if (io == Io::kClosed) return false;
  }
}

void Connection::GoAway() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return;
  session_.GoAway();
  FlushLocked();
}

void Connection::CancelCalls() {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [stream, context] : running_) context->Cancel();
}

void Connection::Close() {
  CancelCalls();
  std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return;
  is_closed_ = true;
  running_.clear();
  // Bytes that nobody read would make the kernel reset the connection, and an answer that is on its
  // way would be lost with it.
  ::shutdown(socket_.fd(), SHUT_WR);
  std::array<char, 4096> unread;
  size_t count = 0;
  for (int reads = 0; reads < kReadsAtOnce && ReadSome(socket_, unread, count) == Io::kDone;
       ++reads) {
  }
  socket_.Close();
}

bool Connection::HasUnsent() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return !is_closed_ && (sent_ < output_.size() || session_.WantsToSend());
}

}  // namespace elanus::wire
