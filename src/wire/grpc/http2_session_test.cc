// One connection's HTTP/2 against a client made of the same library, however the bytes are cut.
#include "wire/grpc/http2_session.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <map>
#include <memory>
#include <optional>
#include <random>

#include "wire/grpc/call_framing.h"

namespace elanus::wire {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

std::string Framed(const std::string& message) {
  const auto prefix = PrefixOf(message.size());
  return std::string(prefix.data(), prefix.size()) + message;
}

/// What one call of the client has heard.
struct Heard {
  std::string data;
  std::map<std::string, std::string> headers;
  bool is_closed = false;
  uint32_t error = 0;
};

/// The other side; speaks by nghttp2.
class Client {
 public:
  Client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
           const uint8_t* value, size_t value_size, uint8_t, void* self) {
          static_cast<Client*>(self)
              ->heard[frame->hd.stream_id]
              .headers[std::string(reinterpret_cast<const char*>(name), name_size)] =
              std::string(reinterpret_cast<const char*>(value), value_size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* self) {
          static_cast<Client*>(self)->heard[id].data.append(reinterpret_cast<const char*>(data),
                                                            size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, int32_t id, uint32_t error, void* self) {
          static_cast<Client*>(self)->heard[id].is_closed = true;
          static_cast<Client*>(self)->heard[id].error = error;
          return 0;
        });
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, 0, nullptr, 0);
  }
  ~Client() { nghttp2_session_del(session_); }

  StreamId Call(const std::string& path, std::string body, const Headers& more = {}) {
    bodies_.push_back(std::make_unique<Body>(Body{std::move(body)}));
    Headers headers{{":method", "POST"},
                    {":scheme", "http"},
                    {":path", path},
                    {":authority", "here"},
                    {"content-type", "application/grpc"},
                    {"te", "trailers"}};
    headers.insert(headers.end(), more.begin(), more.end());
    std::vector<nghttp2_nv> pairs;
    for (auto& [name, value] : headers) {
      pairs.push_back({reinterpret_cast<uint8_t*>(name.data()),
                       reinterpret_cast<uint8_t*>(value.data()), name.size(), value.size(), 0});
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = bodies_.back().get();
    provider.read_callback = [](nghttp2_session*, int32_t, uint8_t* to, size_t size,
                                uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      Body& from = *static_cast<Body*>(source->ptr);
      const size_t count = std::min(size, from.bytes.size() - from.sent);
      std::copy_n(from.bytes.data() + from.sent, count, to);
      from.sent += count;
      if (from.sent == from.bytes.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(count);
    };
    return nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(), &provider,
                                  nullptr);
  }
  void Reset(StreamId stream) { nghttp2_submit_rst_stream(session_, 0, stream, NGHTTP2_CANCEL); }
  std::string Output() {
    std::string bytes;
    const uint8_t* part = nullptr;
    ssize_t size = 0;
    while ((size = nghttp2_session_mem_send(session_, &part)) > 0)
      bytes.append(reinterpret_cast<const char*>(part), static_cast<size_t>(size));
    return bytes;
  }
  void Input(const std::string& bytes) {
    EXPECT_EQ(nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                       bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

  std::map<StreamId, Heard> heard;

 private:
  struct Body {
    std::string bytes;
    size_t sent = 0;
  };
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<Body>> bodies_;
};

class Http2SessionTest : public testing::Test {
 protected:
  /// Moves bytes both ways, `piece` at a time, until neither side has any.
  void Exchange(size_t piece = 1 << 20) {
    while (true) {
      const std::string up = client_->Output();
      std::string down;
      session_->TakeOutput(1 << 20, down);
      if (up.empty() && down.empty()) return;
      for (size_t begin = 0; begin < up.size(); begin += piece)
        is_good_ = session_->Receive(up.substr(begin, piece), calls_, gone_) && is_good_;
      if (!down.empty()) client_->Input(down);
    }
  }
  void Restart(const SessionLimits& limits) { session_.emplace(limits); }

  std::optional<Client> client_{std::in_place};
  std::optional<Http2Session> session_{SessionLimits{}};
  std::vector<ReceivedCall> calls_;
  std::vector<StreamId> gone_;
  bool is_good_ = true;
};

TEST_F(Http2SessionTest, CallsComeWholeHoweverTheirBytesAreCut) {
  for (const size_t piece : {1, 2, 7, 100, 16'384, 1 << 20}) {
    client_.emplace();
    Restart({});
    calls_.clear();
    const std::string large(300'000, 'x');
    const StreamId first =
        client_->Call("/a/Search", Framed("hello"), {{"dbname", "books"}, {"grpc-timeout", "20S"}});
    const StreamId second = client_->Call("/a/Insert", Framed(large));
    Exchange(piece);
    ASSERT_EQ(calls_.size(), 2u) << piece;
    EXPECT_EQ(calls_[0].stream, first);
    EXPECT_EQ(calls_[0].path, "/a/Search");
    EXPECT_EQ(calls_[0].database, "books");
    EXPECT_EQ(calls_[0].timeout_us, 20'000'000);
    EXPECT_EQ(calls_[0].message(), "hello");
    EXPECT_EQ(calls_[1].timeout_us, -1);
    EXPECT_EQ(calls_[1].message(), large);
    session_->Answer(second, "two");
    session_->Answer(first, large);
    Exchange(piece);
    EXPECT_EQ(client_->heard[first].data, Framed(large));
    EXPECT_EQ(client_->heard[second].data, Framed("two"));
    for (const StreamId stream : {first, second}) {
      Heard& heard = client_->heard[stream];
      EXPECT_EQ(heard.headers[":status"], "200");
      EXPECT_EQ(heard.headers["content-type"], "application/grpc");
      EXPECT_EQ(heard.headers["grpc-status"], "0");
      EXPECT_TRUE(heard.is_closed);
      EXPECT_EQ(heard.error, 0u);
    }
    EXPECT_TRUE(gone_.empty());
    EXPECT_TRUE(is_good_);
  }
}

TEST_F(Http2SessionTest, AnEmptyMessageIsAMessageAndHasAnAnswer) {
  const StreamId stream = client_->Call("/a/b", Framed(""));
  Exchange();
  ASSERT_EQ(calls_.size(), 1u);
  EXPECT_TRUE(calls_[0].problem.ok());
  EXPECT_EQ(calls_[0].message(), "");
  session_->Answer(stream, "");
  Exchange();
  EXPECT_EQ(client_->heard[stream].data, Framed(""));
  EXPECT_EQ(client_->heard[stream].headers["grpc-status"], "0");
}

TEST_F(Http2SessionTest, ARefusalHasItsCodeAndText) {
  const StreamId stream = client_->Call("/a/b", Framed("x"));
  Exchange();
  session_->Refuse(stream, {CallCode::kUnimplemented, "no ä"});
  session_->Answer(stream, "late");  // One end a call.
  Exchange();
  Heard& heard = client_->heard[stream];
  EXPECT_EQ(heard.headers["grpc-status"], "12");
  EXPECT_EQ(heard.headers["grpc-message"], "no %C3%A4");
  EXPECT_EQ(heard.data, "");
  EXPECT_TRUE(heard.is_closed);
}

TEST_F(Http2SessionTest, BytesThatAreNotOneMessageAreRefused) {
  const std::vector<std::pair<std::string, CallCode>> bodies{
      {"", CallCode::kInvalidArgument},
      {"\1\2", CallCode::kInvalidArgument},
      {std::string("\0\0\0\0\5abc", 8), CallCode::kInvalidArgument},
      {Framed("a") + Framed("b"), CallCode::kInvalidArgument},
      {Framed("a") + "b", CallCode::kInvalidArgument},
      {std::string("\1\0\0\0\1a", 6), CallCode::kUnimplemented},  // Compressed by what?
      {Framed(std::string(2000, 'x')), CallCode::kResourceExhausted},
      {std::string("\0\xFF\xFF\xFF\xFF", 5), CallCode::kResourceExhausted}};
  Restart({.receive_bytes_max = 1000});
  for (const auto& [body, code] : bodies) {
    calls_.clear();
    const StreamId stream = client_->Call("/a/b", body);
    Exchange(3);
    ASSERT_EQ(calls_.size(), 1u);
    EXPECT_EQ(calls_[0].problem.code, code) << body.size();
    EXPECT_EQ(calls_[0].message(), "");
    session_->Refuse(stream, calls_[0].problem);
    Exchange();
    EXPECT_TRUE(client_->heard[stream].is_closed);
    EXPECT_EQ(client_->heard[stream].headers["grpc-status"],
              std::to_string(static_cast<int>(code)));
  }
  EXPECT_TRUE(is_good_);
  calls_.clear();
  client_->Call("/a/b", Framed("fine"), {{"grpc-timeout", "soon"}, {"grpc-timeout", "later"}});
  Exchange();
  ASSERT_EQ(calls_.size(), 1u);
  EXPECT_EQ(calls_[0].problem.code, CallCode::kInvalidArgument);
}

TEST_F(Http2SessionTest, ACallThatIsTakenBackIsGoneOnce) {
  const StreamId stream = client_->Call("/a/b", Framed("x"));
  Exchange();
  ASSERT_EQ(calls_.size(), 1u);
  client_->Reset(stream);
  Exchange();
  EXPECT_EQ(gone_, std::vector<StreamId>{stream});
  session_->Answer(stream, "nobody hears");
  session_->Refuse(stream, {CallCode::kInternal, "nor this"});
  Exchange();
  EXPECT_TRUE(is_good_);
  EXPECT_EQ(client_->heard[stream].data, "");
}

TEST_F(Http2SessionTest, HeadersWithoutEndCloseTheirCall) {
  const StreamId stream = client_->Call("/a/b", Framed("x"), {{"long", std::string(20'000, 'h')}});
  Exchange();
  EXPECT_TRUE(calls_.empty());
  EXPECT_TRUE(client_->heard[stream].is_closed);
  EXPECT_NE(client_->heard[stream].error, 0u);
  client_->Call("/a/b", Framed("y"));
  Exchange();
  EXPECT_EQ(calls_.size(), 1u);
}

TEST_F(Http2SessionTest, MoreCallsThanAllowedWaitAtTheClient) {
  Restart({.streams_max = 2});
  Exchange();
  for (int i = 0; i < 5; ++i) client_->Call("/a/b", Framed("x"));
  Exchange();
  EXPECT_EQ(calls_.size(), 2u);
  for (size_t answered = 0; answered < 5; ++answered) {
    ASSERT_GT(calls_.size(), answered);
    session_->Answer(calls_[answered].stream, "y");
    Exchange();
  }
  EXPECT_EQ(calls_.size(), 5u);
}

TEST_F(Http2SessionTest, AfterTheGoodbyeWhatRunsIsAnsweredAndNothingNewComes) {
  const StreamId stream = client_->Call("/a/b", Framed("x"));
  Exchange();
  session_->GoAway();
  Exchange();
  client_->Call("/a/b", Framed("late"));
  Exchange();
  EXPECT_EQ(calls_.size(), 1u);
  EXPECT_FALSE(session_->IsOver());
  session_->Answer(stream, "y");
  Exchange();
  EXPECT_EQ(client_->heard[stream].headers["grpc-status"], "0");
  EXPECT_TRUE(session_->IsOver());
}

TEST_F(Http2SessionTest, DamagedBytesEndTheConnectionOrPassAndNeverMore) {
  client_->Call("/a/b", Framed("hello"), {{"dbname", "d"}});
  client_->Call("/a/b", Framed(std::string(3000, 'z')));
  const std::string good = client_->Output();
  std::mt19937 random(4);
  int ended = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (uint32_t i = 0; i <= random() % 6; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (round % 5 == 0) bytes.resize(random() % bytes.size());
    Http2Session session(SessionLimits{.receive_bytes_max = 2000});
    std::vector<ReceivedCall> calls;
    std::vector<StreamId> gone;
    bool is_good = true;
    for (size_t begin = 0; is_good && begin < bytes.size(); begin += 500)
      is_good = session.Receive(std::string_view(bytes).substr(begin, 500), calls, gone);
    for (const ReceivedCall& call : calls) {
      if (round % 2 == 0) session.Answer(call.stream, std::string(call.message()));
      session.Refuse(call.stream, {CallCode::kInternal, "x"});
    }
    std::string output;
    session.TakeOutput(1 << 20, output);
    ended += !is_good || session.IsOver() ? 1 : 0;
    EXPECT_LT(output.size(), 100'000u);
  }
  EXPECT_GT(ended, 100);
}

}  // namespace
}  // namespace elanus::wire
