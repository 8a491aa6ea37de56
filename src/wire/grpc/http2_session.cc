// HTTP/2 by nghttp2. Invariants:
// 1. A Stream lives from its first header until nghttp2 closes it, which it does once both sides
// have ended it or one has reset it; then the number means nothing any more.
// 2. A call is handed out once, when its last byte has come or as soon as it is refused. What comes
// for a stream afterwards is dropped: a client that is reset in the middle of its message does not
// look for the status that came before.
// 3. An answer's bytes stay in its Stream until nghttp2 has taken them.
#include "wire/grpc/http2_session.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <unordered_map>

#include "wire/grpc/call_framing.h"

namespace elanus::wire {
namespace {

// A peer may send so much before it hears from us: many vectors in one go, and still few bytes for
// one connection.
constexpr uint32_t kStreamWindow = 4 << 20;
constexpr int32_t kConnectionWindow = 16 << 20;
constexpr uint32_t kFrameBytesMax = 256 << 10;
constexpr uint32_t kHeaderBytesMax = 16 << 10;  // Of one call.
// Memory for a body is taken at once up to here, then as its bytes come: a length is only a claim.
constexpr size_t kBodyTrust = 1 << 20;

struct Stream {
  ReceivedCall call;
  std::string encoding;
  size_t header_bytes = 0;
  bool handed_out = false;
  bool answered = false;
  std::array<char, kPrefixBytes> prefix{};
  std::string answer;
  size_t answer_sent = 0;  // Of prefix and answer together.
};

nghttp2_nv Header(std::string_view name, std::string_view value, bool is_constant) {
  const uint8_t flags = is_constant ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE
                                    : NGHTTP2_NV_FLAG_NO_COPY_NAME;
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = flags};
}

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

struct State {
  SessionLimits limits;
  nghttp2_session* session = nullptr;
  std::unordered_map<StreamId, std::unique_ptr<Stream>> streams;
  // Where Receive's results go while it runs; between calls, resets of our own end here.
  std::vector<ReceivedCall>* calls = nullptr;
  std::vector<StreamId>* gone = nullptr;

  Stream* Find(StreamId id) {
    const auto found = streams.find(id);
    return found == streams.end() ? nullptr : found->second.get();
  }

  void HandOut(Stream& stream) {
    stream.handed_out = true;
    if (calls != nullptr) calls->push_back(std::move(stream.call));
  }

  void HandOutRefused(Stream& stream, CallCode code, std::string text) {
    stream.call.problem = {code, std::move(text)};
    stream.call.body = {};
    stream.call.message_begin = 0;
    HandOut(stream);
  }

  // All bytes are there.
  void Complete(Stream& stream) {
    ReceivedCall& call = stream.call;
    if (call.body.empty())
      return HandOutRefused(stream, CallCode::kInvalidArgument, "the request has no message");
    if (call.body.size() < kPrefixBytes ||
        call.body.size() != kPrefixBytes + ParsePrefix(call.body).length) {
      return HandOutRefused(stream, CallCode::kInvalidArgument,
                            "the request's bytes are not one message");
    }
    call.message_begin = kPrefixBytes;
    if (ParsePrefix(call.body).is_compressed) {
      std::string flat;
      CallStatus status = Inflate(stream.encoding, call.message(), limits.receive_bytes_max, flat);
      if (!status.ok()) return HandOutRefused(stream, status.code, std::move(status.text));
      call.body = std::move(flat);
      call.message_begin = 0;
    }
    HandOut(stream);
  }

  void Append(Stream& stream, std::string_view bytes) {
    std::string& body = stream.call.body;
    if (body.size() < kPrefixBytes) {
      const size_t taken = std::min(kPrefixBytes - body.size(), bytes.size());
      body.append(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
      if (body.size() < kPrefixBytes) return;
    }
    const size_t length = ParsePrefix(body).length;
    if (length > limits.receive_bytes_max) {
      return HandOutRefused(stream, CallCode::kResourceExhausted,
                            fmt::format("the request has {} bytes, at most {} are allowed", length,
                                        limits.receive_bytes_max));
    }
    const size_t whole = kPrefixBytes + length;
    const size_t now = body.size() + bytes.size();
    if (now > whole) {
      return HandOutRefused(stream, CallCode::kInvalidArgument,
                            "the request has more than one message");
    }
    if (body.capacity() < now) body.reserve(std::min(whole, std::max(kBodyTrust, 4 * now)));
    body.append(bytes);
  }

  int TakeHeader(Stream& stream, std::string_view name, std::string_view value);
  void Open();
};

State& Of(void* user_data) { return *static_cast<State*>(user_data); }

int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
  State& state = Of(user_data);
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto stream = std::make_unique<Stream>();
  stream->call.stream = frame->hd.stream_id;
  state.streams[frame->hd.stream_id] = std::move(stream);
  return 0;
}

int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
             const uint8_t* value, size_t value_size, uint8_t, void* user_data) {
  State& state = Of(user_data);
  Stream* const stream = state.Find(frame->hd.stream_id);
  if (stream == nullptr) return 0;
  return state.TakeHeader(*stream, View(name, name_size), View(value, value_size));
}

int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
           void* user_data) {
  State& state = Of(user_data);
  Stream* const stream = state.Find(id);
  if (stream != nullptr && !stream->handed_out) state.Append(*stream, View(data, size));
  return 0;
}

int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
  const bool may_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (!may_end || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  State& state = Of(user_data);
  Stream* const stream = state.Find(frame->hd.stream_id);
  if (stream != nullptr && !stream->handed_out) state.Complete(*stream);
  return 0;
}

int OnStreamClose(nghttp2_session*, int32_t id, uint32_t, void* user_data) {
  State& state = Of(user_data);
  const auto found = state.streams.find(id);
  if (found == state.streams.end()) return 0;
  const Stream& stream = *found->second;
  if (stream.handed_out && !stream.answered && state.gone != nullptr) state.gone->push_back(id);
  state.streams.erase(found);
  return 0;
}

// The next bytes of an answer; the status follows them.
ssize_t ReadAnswer(nghttp2_session* session, int32_t id, uint8_t* to, size_t size, uint32_t* flags,
                   nghttp2_data_source* source, void*) {
  Stream& stream = *static_cast<Stream*>(source->ptr);
  size_t filled = 0;
  const auto copy = [&](const char* from, size_t bytes) {
    const size_t count = std::min(bytes, size - filled);
    std::memcpy(to + filled, from, count);
    filled += count;
    stream.answer_sent += count;
  };
  if (stream.answer_sent < kPrefixBytes)
    copy(stream.prefix.data() + stream.answer_sent, kPrefixBytes - stream.answer_sent);
  if (stream.answer_sent >= kPrefixBytes) {
    const size_t sent = stream.answer_sent - kPrefixBytes;
    copy(stream.answer.data() + sent, stream.answer.size() - sent);
  }
  if (stream.answer_sent < kPrefixBytes + stream.answer.size()) return static_cast<ssize_t>(filled);
  const nghttp2_nv trailer = Header("grpc-status", "0", true);
  if (nghttp2_submit_trailer(session, id, &trailer, 1) != 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  return static_cast<ssize_t>(filled);
}

struct Callbacks {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* options = nullptr;
  Callbacks() {
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&options) != 0)
      throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClose);
    nghttp2_option_set_no_closed_streams(options, 1);  // Kept for priorities, which are not used.
  }
  ~Callbacks() {
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
  }
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;
};

int State::TakeHeader(Stream& stream, std::string_view name, std::string_view value) {
  stream.header_bytes += name.size() + value.size();
  if (stream.header_bytes > kHeaderBytesMax) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (name == ":path") {
    stream.call.path = value;
  } else if (name == "dbname") {
    stream.call.database = value;
  } else if (name == "grpc-encoding") {
    stream.encoding = value;
  } else if (name == "grpc-timeout") {
    const auto timeout = ParseTimeout(value);
    if (timeout) {
      stream.call.timeout_us = *timeout;
    } else if (!stream.handed_out) {
      HandOutRefused(stream, CallCode::kInvalidArgument, "the header grpc-timeout is no time");
    }
  }
  return 0;
}

void State::Open() {
  static const Callbacks kCallbacks;
  if (nghttp2_session_server_new2(&session, kCallbacks.callbacks, this, kCallbacks.options) != 0)
    throw std::bad_alloc();
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kFrameBytesMax},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeaderBytesMax},
  };
  if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0 ||
      nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) != 0)
    throw std::bad_alloc();
}

}  // namespace

struct Http2Session::Impl final : State {};

Http2Session::Http2Session(const SessionLimits& limits) : impl_(std::make_unique<Impl>()) {
  impl_->limits = limits;
  impl_->Open();
}

Http2Session::~Http2Session() { nghttp2_session_del(impl_->session); }

bool Http2Session::Receive(std::string_view bytes, std::vector<ReceivedCall>& calls,
                           std::vector<StreamId>& gone) {
  impl_->calls = &calls;
  impl_->gone = &gone;
  const ssize_t taken = nghttp2_session_mem_recv(
      impl_->session, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  impl_->calls = nullptr;
  impl_->gone = nullptr;
  return taken == static_cast<ssize_t>(bytes.size());
}

void Http2Session::Answer(StreamId id, std::string message) {
  Stream* const stream = impl_->Find(id);
  if (stream == nullptr || stream->answered) return;
  stream->answered = true;
  stream->prefix = PrefixOf(message.size());
  stream->answer = std::move(message);
  const std::array headers{Header(":status", "200", true),
                           Header("content-type", "application/grpc", true)};
  nghttp2_data_provider provider{.source = {.ptr = stream}, .read_callback = ReadAnswer};
  nghttp2_submit_response(impl_->session, id, headers.data(), headers.size(), &provider);
}

void Http2Session::Refuse(StreamId id, const CallStatus& status) {
  Stream* const stream = impl_->Find(id);
  if (stream == nullptr || stream->answered) return;
  stream->answered = true;
  const std::string code = fmt::format("{}", static_cast<int>(status.code));
  const std::string text = EscapeText(status.text);
  const std::array headers{Header(":status", "200", true),
                           Header("content-type", "application/grpc", true),
                           Header("grpc-accept-encoding", "identity,deflate,gzip", true),
                           Header("grpc-status", code, false), Header("grpc-message", text, false)};
  nghttp2_submit_response(impl_->session, id, headers.data(), headers.size(), nullptr);
}

void Http2Session::GoAway() {
  nghttp2_submit_goaway(impl_->session, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(impl_->session), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Http2Session::TakeOutput(size_t bytes_wanted, std::string& to) {
  while (to.size() < bytes_wanted) {
    const uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(impl_->session, &bytes);
    if (count <= 0) return;
    to.append(View(bytes, static_cast<size_t>(count)));
  }
}

bool Http2Session::IsOver() const {
  return nghttp2_session_want_read(impl_->session) == 0 &&
         nghttp2_session_want_write(impl_->session) == 0;
}

bool Http2Session::WantsToSend() const { return nghttp2_session_want_write(impl_->session) != 0; }

}  // namespace elanus::wire
