// The gRPC front. Invariants:
// 1. A CallState belongs to the thread that got its last event until it starts the next operation;
// after that it may not be touched: the next event may be with another thread already. It is freed
// by the later of its last operation and its done notice.
// 2. The done notice may come beside any step; what both touch lies under the call's mutex.
// 3. gRPC aborts the process when a call is requested on a queue that was shut down. So calls are
// requested under `gate` while `stopping` is false, and the queue is shut down after it is true.
// 4. A call is counted in `open_calls` from its begin until it is freed.
#include "wire/grpc/server.h"

#include <absl/synchronization/mutex.h>
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <map>
#include <mutex>

#include "base/log.h"
#include "wire/grpc/health.h"
#include "wire/grpc/method.h"
#include "wire/grpc/pollers.h"
#include "wire/grpc/queue_order.h"

namespace elanus::wire {
namespace {

constexpr std::string_view kService = "/milvus.proto.milvus.MilvusService/";
constexpr int kReadBytesMin = 8192;  // A search in one piece.
constexpr int64_t kStopGraceMs = 5000;
// After the last answer; for clients that do not say good-bye.
constexpr int64_t kCloseGraceMs = 200;

const std::map<std::string_view, const Method*>& Table() {
  static const auto kTable = [] {
    std::map<std::string_view, const Method*> table;
    for (const auto& family : {ConnectionMethods(), CollectionMethods(), IndexMethods(),
                               DataMethods(), StorageMethods()}) {
      for (const Method& method : family) table[method.name] = &method;
    }
    return table;
  }();
  return kTable;
}

}  // namespace

const Method* FindMethod(std::string_view name) {
  const auto found = Table().find(name);
  return found == Table().end() ? nullptr : found->second;
}

namespace {

// What calls share.
struct Front {
  proxy::Services& services;
  GrpcOptions options;
  size_t polling_threads;
  grpc::AsyncGenericService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::unique_ptr<Pool> pool;
  std::atomic<int64_t> reads_on_pollers{0};
  std::unique_ptr<Monitor> gate;
  std::atomic<int64_t> open_calls{0};
  std::atomic<bool> draining{false};  // Stops: what runs is answered, what is new is refused.

  void EndCall() {
    if (open_calls.fetch_sub(1) > 1 || !draining.load()) return;
    std::lock_guard<Monitor> lock(*gate);
    gate->NotifyAll();
  }
};

}  // namespace

struct GrpcServer::Impl final : Front, EventQueue {
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<Pollers> pollers;
  bool stopping = false;  // Guarded by gate.
  int port = 0;

  Impl(proxy::Services& s, const GrpcOptions& o)
      : Front{.services = s,
              .options = o,
              .polling_threads = static_cast<size_t>(std::max<int64_t>(o.polling_threads, 1)),
              .service = {},
              .queue = nullptr,
              .pool = nullptr,
              .gate = nullptr} {}
  Look Take(bool may_wait, Event& event) override;
  void Handle(const Event& event) override;
  void RequestNext();
  void AwaitCalls();
};

namespace {

class CallState;

// What comes back from the completion queue: which call, and which of its two strands.
struct Tag {
  CallState* call;
  bool is_done_notice;
};

class CallState {
 public:
  explicit CallState(Front& server)
      : server_(server), services_(server.services), stream_(&server_context_) {
    const InsideGrpc done(&done_tag_);
    server_context_.AsyncNotifyWhenDone(&done_tag_);
    const InsideGrpc step(&step_tag_);
    server.service.RequestCall(&server_context_, &stream_, server.queue.get(), server.queue.get(),
                               &step_tag_);
  }

  /// An event of this call; frees it after the last one. True: it has begun, so the next one is to
  /// be requested.
  bool Proceed(const Tag& tag, bool ok) {
    if (tag.is_done_notice) {
      if (End(&CallState::done_)) Free();
      return false;
    }
    switch (step_) {
      case Step::kAccept:
        if (!ok) {
          // Never started: the done notice does not come.
          delete this;
          return false;
        }
        server_.open_calls.fetch_add(1);
        step_ = Step::kRead;
        Read();
        return true;
      case Step::kRead:
        step_ = Step::kFinish;
        Receive(ok);
        return false;
      case Step::kFinish:
        if (End(&CallState::finished_)) Free();
        return false;
    }
    return false;
  }

 private:
  enum class Step { kAccept, kRead, kFinish };

  void Free() {
    Front& server = server_;
    delete this;
    server.EndCall();
  }

  // Marks one of the two ends; true for the later one. A caller that has gone cancels the work.
  bool End(bool CallState::*end) {
    std::lock_guard<std::mutex> lock(mutex_);
    this->*end = true;
    const bool is_done_notice = end == &CallState::done_;
    if (is_done_notice && context_ != nullptr && server_context_.IsCancelled()) context_->Cancel();
    return done_ && finished_;
  }

  void Receive(bool has_message) {
    if (!has_message) {
      return FinishWith(
          grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the request has no message"));
    }
    if (server_.draining.load())
      return FinishWith(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server stops"));
    const int64_t bytes_max = server_.options.receive_bytes_max;
    if (request_.Length() > static_cast<size_t>(bytes_max)) {
      return FinishWith(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                     fmt::format("the request has {} bytes, at most {} are allowed",
                                                 request_.Length(), bytes_max)));
    }
    Dispatch();
  }

  void Dispatch() {
    const int64_t now_us = services_.clock.MonotonicUs();
    int64_t deadline_us = INT64_MAX;
    const gpr_timespec deadline =
        gpr_convert_clock_type(server_context_.raw_deadline(), GPR_CLOCK_REALTIME);
    const gpr_timespec now = gpr_now(GPR_CLOCK_REALTIME);
    // Far away or infinite means none.
    if (deadline.tv_sec - now.tv_sec < 365LL * 24 * 3600) {
      const gpr_timespec left = gpr_time_sub(deadline, now);
      deadline_us = now_us + left.tv_sec * 1'000'000 + left.tv_nsec / 1000;
    }
    auto context = std::make_unique<Context>(services_.clock, deadline_us);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (done_) context->Cancel();  // The caller has gone before its message was read.
      context_ = std::move(context);
    }
    const std::string& path = server_context_.method();
    if (path.starts_with(kService))
      method_ = FindMethod(std::string_view(path).substr(kService.size()));
    if (method_ != nullptr && method_->is_read) {
      Front& server = server_;
      // One polling thread stays: for what comes in, and for callers that go away.
      const bool is_free =
          server.reads_on_pollers.fetch_add(1) + 1 < static_cast<int64_t>(server.polling_threads);
      if (is_free) Run();
      server.reads_on_pollers.fetch_sub(1);
      if (is_free) return;
    }
    const Status queued = server_.pool->Submit([this] { Run(); });
    if (queued.ok()) return;
    FinishWith(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, queued.ToString()));
  }

  void Run() {
    std::string answer;
    grpc::Status status;
    try {
      status = RunMethod(answer);
    } catch (const std::bad_alloc&) {
      status = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "out of memory");
    } catch (const std::exception& e) {
      LogError("a request failed method={} error=\"{}\"", server_context_.method(), e.what());
      status = grpc::Status(grpc::StatusCode::INTERNAL, e.what());
    }
    if (!status.ok()) return FinishWith(status);
    grpc::Slice slice(answer);
    response_ = grpc::ByteBuffer(&slice, 1);
    const InsideGrpc inside(&step_tag_);
    stream_.WriteAndFinish(response_, grpc::WriteOptions(), grpc::Status::OK, &step_tag_);
  }

  grpc::Status RunMethod(std::string& answer) {
    const std::string& path = server_context_.method();
    // Copied flat once if it is in pieces: parsing from those costs ten times as much.
    grpc::Slice flat;
    if (!request_.TrySingleSlice(&flat).ok() && !request_.DumpToSingleSlice(&flat).ok()) {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the request cannot be read");
    }
    const std::string_view bytes(reinterpret_cast<const char*>(flat.begin()), flat.size());
    if (path == kHealthCheckPath) {
      answer = HealthAnswer();
      return grpc::Status::OK;
    }
    if (method_ == nullptr) {
      return grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                          "method " + path + " is not supported by this version of elanus");
    }
    Call call{.ctx = *context_, .services = services_, .database = Header("dbname")};
    switch (method_->run(call, bytes, answer)) {
      case Delivery::kDone:
        if (answer.size() <= static_cast<size_t>(server_.options.send_bytes_max))
          return grpc::Status::OK;
        break;
      case Delivery::kBadRequest:
        return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                            "the bytes of the request are not a message of " + path);
      case Delivery::kTooLarge:
        break;
    }
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                        "the answer of " + path + " is larger than a message may be");
  }

  std::string Header(const char* name) const {
    const auto& metadata = server_context_.client_metadata();
    const auto found = metadata.find(name);
    return found == metadata.end() ? std::string()
                                   : std::string(found->second.data(), found->second.size());
  }

  void Read() {
    const InsideGrpc inside(&step_tag_);
    stream_.Read(&request_, &step_tag_);
  }

  void FinishWith(const grpc::Status& status) {
    const InsideGrpc inside(&step_tag_);
    stream_.Finish(status, &step_tag_);
  }

  Front& server_;
  proxy::Services& services_;
  grpc::GenericServerContext server_context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  const Method* method_ = nullptr;
  Step step_ = Step::kAccept;
  std::mutex mutex_;  // Guards what follows. Held for moments.
  std::unique_ptr<Context> context_;
  bool finished_ = false;
  bool done_ = false;
  Tag step_tag_{this, false};
  Tag done_tag_{this, true};
};

}  // namespace

Look GrpcServer::Impl::Take(bool may_wait, Event& event) {
  const InsideGrpc inside;
  if (may_wait) return queue->Next(&event.tag, &event.ok) ? Look::kEvent : Look::kClosed;
  switch (queue->AsyncNext(&event.tag, &event.ok, gpr_time_0(GPR_CLOCK_MONOTONIC))) {
    case grpc::CompletionQueue::GOT_EVENT:
      return Look::kEvent;
    case grpc::CompletionQueue::TIMEOUT:
      return Look::kNothing;
    case grpc::CompletionQueue::SHUTDOWN:
      break;
  }
  return Look::kClosed;
}

void GrpcServer::Impl::Handle(const Event& event) {
  Taken(event.tag);
  const Tag tag = *static_cast<Tag*>(event.tag);
  if (tag.call->Proceed(tag, event.ok)) RequestNext();
}

void GrpcServer::Impl::RequestNext() {
  std::lock_guard<Monitor> lock(*gate);
  if (!stopping) new CallState(*this);  // Frees itself.
}

// Until all calls have ended, but not for ever.
void GrpcServer::Impl::AwaitCalls() {
  draining = true;
  const int64_t end_us = services.clock.MonotonicUs() + kStopGraceMs * 1000;
  std::lock_guard<Monitor> lock(*gate);
  while (open_calls.load() > 0) {
    const int64_t left_ms = (end_us - services.clock.MonotonicUs()) / 1000;
    if (left_ms <= 0 || !gate->WaitFor(left_ms)) return;
  }
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

int GrpcServer::port() const { return impl_->port; }

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(Executor& executor, proxy::Services& services,
                                                      const GrpcOptions& options) {
  // A client's bad bytes are answered; the library would also print a line for each.
  [[maybe_unused]] static auto* const kOnce = google::protobuf::SetLogHandler(nullptr);
  // The system's build of the library looks for deadlocks at each lock of gRPC, which costs.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  auto impl = std::make_unique<Impl>(services, options);
  grpc::ServerBuilder builder;
  const std::string address = fmt::format("{}:{}", options.address, options.port);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &impl->port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  // Without the filters for deadlines and sizes, which are looked at here.
  builder.AddChannelArgument(GRPC_ARG_MINIMAL_STACK, 1);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_TCP_MIN_READ_CHUNK_SIZE, kReadBytesMin);
  builder.RegisterAsyncGenericService(&impl->service);
  impl->queue = builder.AddCompletionQueue();
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || impl->port == 0) {
    if (impl->server != nullptr) impl->server->Shutdown();
    impl->queue->Shutdown();
    void* tag;
    bool ok;
    while (impl->queue->Next(&tag, &ok)) {
    }
    return Error(ErrorCode::kIoFailed, "cannot listen on {}: the port is in use or not allowed",
                 address);
  }
  impl->gate = executor.MakeMonitor();
  impl->pool =
      std::make_unique<Pool>(executor, "request", static_cast<size_t>(options.request_workers),
                             static_cast<size_t>(options.request_queue_max));
  for (size_t i = 0; i < impl->polling_threads; ++i) {
    impl->RequestNext();  // As many calls may begin at once.
  }
  impl->pollers = std::make_unique<Pollers>(executor, services.clock, *impl, impl->polling_threads);
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::~GrpcServer() {
  // Before the connections are told: gRPC closes one only when its client has agreed, and an idle
  // client may look at its connection every few seconds.
  impl_->AwaitCalls();
  {
    std::lock_guard<Monitor> lock(*impl_->gate);
    impl_->stopping = true;
  }
  impl_->server->Shutdown(
      gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(kCloseGraceMs, GPR_TIMESPAN)));
  // Workers may still finish calls, so the queue closes after them.
  impl_->pool.reset();
  impl_->queue->Shutdown();
  impl_->pollers.reset();
}

}  // namespace elanus::wire
