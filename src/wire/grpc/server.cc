// The gRPC front. Invariants:
// 1. A Request is the one that answers its call: when the last owner lets it go, the call has been
// answered or its caller has gone. `open_calls` counts Requests.
// 2. Sockets are watched edge by edge: whoever takes an event reads until there is no more, and a
// socket that takes no more bytes is an event later.
// 3. A connection is looked up by its number, which never comes again: an event of one that has
// been closed meanwhile finds nothing.
#include "wire/grpc/server.h"

#include <google/protobuf/stubs/logging.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "base/log.h"
#include "proxy/metrics.h"
#include "wire/grpc/connection.h"
#include "wire/grpc/health.h"
#include "wire/grpc/method.h"
#include "wire/grpc/pollers.h"
#include "wire/grpc/postponed.h"

namespace elanus::wire {
namespace {

constexpr std::string_view kService = "/milvus.proto.milvus.MilvusService/";
constexpr int64_t kStopGraceMs = 5000;
// After the last answer; for clients that are slow to take it.
constexpr int64_t kSendGraceMs = 200;
// A search in one piece, and many a large insert in few.
constexpr size_t kReadBytes = 64 << 10;

// Sources of events; connections are numbered from kFirstConnection.
constexpr uint64_t kListener = 0;
constexpr uint64_t kWakeUp = 1;
constexpr uint64_t kStop = 2;
constexpr uint64_t kFirstConnection = 3;

/// A call that is to be run and answered.
struct Request final : Work {
  std::shared_ptr<Connection> connection;
  ReceivedCall call;
  std::shared_ptr<Context> context;
  const Method* method = nullptr;
  int64_t arrived_us = 0;
  std::function<void()> at_end;

  ~Request() override { at_end(); }
};

// How a request ended, or after how long it is to be run again.
struct Outcome {
  CallStatus status;
  int64_t wait_ms = 0;
};

Outcome RunMethod(Request& request, proxy::Services& services, int port, size_t send_bytes_max,
                  std::string& answer) {
  const ReceivedCall& received = request.call;
  Call call{
      .ctx = *request.context, .services = services, .database = received.database, .port = port};
  const int64_t begin_us = services.clock.MonotonicUs();
  const Delivery delivery = request.method->run(call, received.message(), answer);
  if (delivery == Delivery::kLater) return {.wait_ms = call.wait_ms};
  if (delivery == Delivery::kBadRequest) call.status = Invalid("the bytes are no message");
  if (delivery == Delivery::kTooLarge)
    call.status = Status(ErrorCode::kParameterTooLarge, "the answer is too large");
  proxy::CountCall({.method = request.method->name,
                    .name = {.database = call.database, .collection = call.collection},
                    .status = call.status,
                    .waited_us = begin_us - request.arrived_us,
                    .ran_us = services.clock.MonotonicUs() - begin_us,
                    .received_bytes = received.body.size(),
                    .sent_bytes = answer.size()},
                   services.options.counted_collections_max);
  switch (delivery) {
    case Delivery::kDone:
      if (answer.size() <= send_bytes_max) return {};
      break;
    case Delivery::kBadRequest:
      return {{CallCode::kInvalidArgument,
               "the bytes of the request are not a message of " + received.path}};
    case Delivery::kTooLarge:
    case Delivery::kLater:
      break;
  }
  return {{CallCode::kResourceExhausted,
           "the answer of " + received.path + " is larger than a message may be"}};
}

}  // namespace

struct GrpcServer::Impl final : EventQueue {
  Impl(Executor& executor, proxy::Services& s, const GrpcOptions& o)
      : services(s),
        options(o),
        polling_threads(std::max<int64_t>(o.polling_threads, 1)),
        gate(executor.MakeMonitor()) {}

  Status Open(Executor& executor);
  void Stop();

  Look Take(bool may_wait, Event& event) override;
  void Handle(Event event) override;
  void Tick() override;

  Status Watch(int fd, uint64_t source, uint32_t events);
  void AcceptAll();
  void ReadFrom(const std::shared_ptr<Connection>& connection, bool has_ended);
  bool IsRefused(Request& request);
  bool TakePoller();
  void RunOnPoller(std::unique_ptr<Request> request);
  void RunOnPool(std::unique_ptr<Request> request);
  void Run(std::unique_ptr<Request> request);
  void RunAgain(std::unique_ptr<Request> request);
  void Postpone(std::unique_ptr<Request> request, int64_t wait_ms);
  void PutReady(Event event);
  bool PopReady(Event& event);
  void EndCall();
  bool AwaitCalls();
  void Owe(const std::shared_ptr<Connection>& connection);
  void Paid(const Connection& connection);
  std::shared_ptr<Connection> Find(uint64_t id);
  std::vector<std::shared_ptr<Connection>> Connections();
  void Remove(const std::shared_ptr<Connection>& connection);

  proxy::Services& services;
  const GrpcOptions options;
  const int64_t polling_threads;
  SessionLimits limits;
  Listener listener;
  Descriptor epoll, wake_up, stop;
  std::unique_ptr<Pool> pool;
  std::unique_ptr<Pollers> pollers;
  std::unique_ptr<Postponed> postponed;

  std::atomic<int64_t> reads_on_pollers{0};
  std::atomic<int64_t> open_calls{0};
  std::atomic<bool> draining{false};    // Stops: what runs is answered, what is new is refused.
  const std::unique_ptr<Monitor> gate;  // Where the end of the last call is waited for.

  std::mutex table_mutex;  // Guards the connections.
  std::unordered_map<uint64_t, std::shared_ptr<Connection>> connections;
  uint64_t next_connection = kFirstConnection;
  bool is_full = false;  // Somebody was turned away, and it was said.
  std::atomic<bool> accept_again{false};

  std::mutex ready_mutex;  // Guards what was found and waits for a thread.
  std::deque<Event> ready;
  std::atomic<size_t> ready_count{0};
  std::atomic<int> waiting{0};  // Threads that wait in the kernel.

  std::mutex owed_mutex;  // Guards connections with output that waits for the end of a read.
  std::vector<std::shared_ptr<Connection>> owed;
};

Status GrpcServer::Impl::Open(Executor& executor) {
  limits = {.receive_bytes_max = static_cast<size_t>(options.receive_bytes_max),
            .streams_max = static_cast<uint32_t>(options.streams_max)};
  TRY_ASSIGN(listener, Listen(options.address, static_cast<int>(options.port)));
  epoll = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  wake_up = Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  stop = Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll || !wake_up || !stop)
    return Error(ErrorCode::kIoFailed, "there are no descriptors left ({})", std::strerror(errno));
  TRY(Watch(listener.socket.fd(), kListener, EPOLLIN | EPOLLET));
  TRY(Watch(wake_up.fd(), kWakeUp, EPOLLIN | EPOLLET));
  TRY(Watch(stop.fd(), kStop, EPOLLIN));
  pool = std::make_unique<Pool>(executor, "request", static_cast<size_t>(options.request_workers),
                                static_cast<size_t>(options.request_queue_max));
  postponed = std::make_unique<Postponed>(
      executor, services.clock, static_cast<size_t>(options.request_queue_max),
      [this](std::unique_ptr<Work> work) {
        RunAgain(std::unique_ptr<Request>(static_cast<Request*>(work.release())));
      });
  pollers = std::make_unique<Pollers>(executor, services.clock, *this,
                                      static_cast<size_t>(polling_threads));
  return {};
}

Status GrpcServer::Impl::Watch(int fd, uint64_t source, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = source;
  if (::epoll_ctl(epoll.fd(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return Error(ErrorCode::kIoFailed, "a socket cannot be watched ({})", std::strerror(errno));
}

Look GrpcServer::Impl::Take(bool may_wait, Event& event) {
  while (true) {
    if (PopReady(event)) return Look::kEvent;
    // Whoever puts work up from here on sees that somebody is to be woken.
    if (may_wait) waiting.fetch_add(1);
    const bool waits = may_wait && ready_count.load() == 0;
    epoll_event found{};
    const int count = ::epoll_wait(epoll.fd(), &found, 1, waits ? -1 : 0);
    if (may_wait) waiting.fetch_sub(1);
    if (count <= 0) {
      if (may_wait || (count < 0 && errno == EINTR)) continue;
      return Look::kNothing;
    }
    if (found.data.u64 == kStop) return Look::kClosed;
    if (found.data.u64 == kWakeUp) {
      uint64_t times = 0;
      (void)!::read(wake_up.fd(), &times, sizeof(times));
      continue;
    }
    event.source = found.data.u64;
    event.has_ended = (found.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    return Look::kEvent;
  }
}

void GrpcServer::Impl::PutReady(Event event) {
  {
    std::lock_guard<std::mutex> lock(ready_mutex);
    ready.push_back(std::move(event));
    ready_count.store(ready.size());
  }
  if (waiting.load() == 0) return;
  const uint64_t once = 1;
  (void)!::write(wake_up.fd(), &once, sizeof(once));
}

bool GrpcServer::Impl::PopReady(Event& event) {
  if (ready_count.load() == 0) return false;
  std::lock_guard<std::mutex> lock(ready_mutex);
  if (ready.empty()) return false;
  event = std::move(ready.front());
  ready.pop_front();
  ready_count.store(ready.size());
  return true;
}

void GrpcServer::Impl::Handle(Event event) {
  if (event.work != nullptr) {
    std::unique_ptr<Request> request(static_cast<Request*>(event.work.release()));
    return TakePoller() ? RunOnPoller(std::move(request)) : RunOnPool(std::move(request));
  }
  if (event.source == kListener) return AcceptAll();
  const auto connection = Find(event.source);
  if (connection != nullptr) ReadFrom(connection, event.has_ended);
}

// Answers to pings and settings go with the answer of a read that runs, unless that takes long.
void GrpcServer::Impl::Tick() {
  std::vector<std::shared_ptr<Connection>> late;
  {
    std::lock_guard<std::mutex> lock(owed_mutex);
    late.swap(owed);
  }
  for (const auto& connection : late) {
    if (!connection->Flush()) Remove(connection);
  }
}

void GrpcServer::Impl::Owe(const std::shared_ptr<Connection>& connection) {
  std::lock_guard<std::mutex> lock(owed_mutex);
  owed.push_back(connection);
}

void GrpcServer::Impl::Paid(const Connection& connection) {
  std::lock_guard<std::mutex> lock(owed_mutex);
  std::erase_if(owed, [&](const auto& other) { return other.get() == &connection; });
}

void GrpcServer::Impl::AcceptAll() {
  while (!draining.load()) {
    bool is_out_of_descriptors = false;
    Descriptor socket = Accept(listener.socket, is_out_of_descriptors);
    if (!socket) {
      // The next one that leaves makes room.
      if (is_out_of_descriptors && !accept_again.exchange(true))
        LogWarn("connections wait: no descriptors left");
      return;
    }
    std::shared_ptr<Connection> connection;
    {
      std::lock_guard<std::mutex> lock(table_mutex);
      const bool has_room = connections.size() < static_cast<size_t>(options.connections_max);
      if (!has_room && !is_full)
        LogWarn("a client is turned away, {} are connected", connections.size());
      is_full = !has_room;
      if (!has_room) continue;
      const uint64_t id = next_connection++;
      connection = std::make_shared<Connection>(id, std::move(socket), limits, services.clock);
      connections[id] = connection;
    }
    if (!Watch(connection->fd(), connection->id(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET).ok())
      Remove(connection);
  }
}

std::shared_ptr<Connection> GrpcServer::Impl::Find(uint64_t id) {
  std::lock_guard<std::mutex> lock(table_mutex);
  const auto found = connections.find(id);
  return found == connections.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Connection>> GrpcServer::Impl::Connections() {
  std::lock_guard<std::mutex> lock(table_mutex);
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(connections.size());
  for (const auto& [id, connection] : connections) all.push_back(connection);
  return all;
}

void GrpcServer::Impl::Remove(const std::shared_ptr<Connection>& connection) {
  {
    std::lock_guard<std::mutex> lock(table_mutex);
    connections.erase(connection->id());
  }
  connection->Close();
  if (accept_again.exchange(false)) AcceptAll();
}

void GrpcServer::Impl::ReadFrom(const std::shared_ptr<Connection>& connection, bool has_ended) {
  std::array<char, kReadBytes> buffer;
  Connection::Arrival arrival = connection->Read(buffer, has_ended);
  if (arrival.has_more) PutReady({.source = connection->id(), .has_ended = has_ended});
  std::unique_ptr<Request> here;  // The one that this thread runs itself.
  for (auto& [call, context] : arrival.calls) {
    auto request = std::make_unique<Request>();
    open_calls.fetch_add(1);
    request->at_end = [this] { EndCall(); };
    request->connection = connection;
    request->call = std::move(call);
    request->context = std::move(context);
    request->arrived_us = services.clock.MonotonicUs();
    if (IsRefused(*request)) continue;
    if (!request->method->is_read) {
      RunOnPool(std::move(request));
    } else if (here == nullptr && TakePoller()) {
      here = std::move(request);
    } else if (ready_count.load() < static_cast<size_t>(options.request_queue_max)) {
      PutReady({.work = std::move(request)});
    } else {
      connection->Refuse(request->call.stream, {CallCode::kResourceExhausted, "too many requests"});
    }
  }
  if (arrival.is_closed) Remove(connection);
  if (here == nullptr) {
    if (!connection->Flush()) Remove(connection);
    return;
  }
  if (arrival.owes_output) Owe(connection);
  RunOnPoller(std::move(here));
  if (arrival.owes_output) Paid(*connection);
}

// Answers at once what is not to be run.
bool GrpcServer::Impl::IsRefused(Request& request) {
  const ReceivedCall& call = request.call;
  CallStatus status = call.problem;
  if (status.ok() && draining.load()) status = {CallCode::kUnavailable, "the server stops"};
  if (status.ok() && call.path == kHealthCheckPath) {
    request.connection->Answer(call.stream, HealthAnswer());
    return true;
  }
  if (status.ok() && call.path.starts_with(kService))
    request.method = FindMethod(std::string_view(call.path).substr(kService.size()));
  if (status.ok() && request.method == nullptr) {
    status = {CallCode::kUnimplemented,
              "method " + call.path + " is not supported by this version of elanus"};
  }
  if (status.ok()) return false;
  request.connection->Refuse(call.stream, status);
  return true;
}

// Whether this thread may run a read: one polling thread stays, for what comes in and for callers
// that go away.
bool GrpcServer::Impl::TakePoller() {
  if (reads_on_pollers.fetch_add(1) + 1 < polling_threads) return true;
  reads_on_pollers.fetch_sub(1);
  return false;
}

void GrpcServer::Impl::RunOnPoller(std::unique_ptr<Request> request) {
  Run(std::move(request));
  reads_on_pollers.fetch_sub(1);
}

void GrpcServer::Impl::RunOnPool(std::unique_ptr<Request> request) {
  // A pool's task can be copied.
  const auto shared = std::make_shared<std::unique_ptr<Request>>(std::move(request));
  const Status queued = pool->Submit([this, shared] { Run(std::move(*shared)); });
  if (queued.ok()) return;
  (*shared)->connection->Refuse((*shared)->call.stream,
                                {CallCode::kResourceExhausted, queued.ToString()});
}

void GrpcServer::Impl::Run(std::unique_ptr<Request> request) {
  std::string answer;
  Outcome outcome;
  try {
    outcome = RunMethod(*request, services, listener.port,
                        static_cast<size_t>(options.send_bytes_max), answer);
  } catch (const std::bad_alloc&) {
    outcome.status = {CallCode::kResourceExhausted, "out of memory"};
  } catch (const std::exception& e) {
    LogError("a request failed method={} error=\"{}\"", request->call.path, e.what());
    outcome.status = {CallCode::kInternal, e.what()};
  }
  if (outcome.wait_ms > 0) return Postpone(std::move(request), outcome.wait_ms);
  if (outcome.status.ok())
    return request->connection->Answer(request->call.stream, std::move(answer));
  request->connection->Refuse(request->call.stream, outcome.status);
}

// A read that cannot be answered yet.
void GrpcServer::Impl::Postpone(std::unique_ptr<Request> request, int64_t wait_ms) {
  const std::shared_ptr<Connection> connection = request->connection;
  const StreamId stream = request->call.stream;
  const auto context = request->context;
  std::unique_ptr<Work> work = std::move(request);
  if (postponed->Put(context, wait_ms, work)) return;
  connection->Refuse(stream, draining.load()
                                 ? CallStatus{CallCode::kUnavailable, "the server stops"}
                                 : CallStatus{CallCode::kResourceExhausted,
                                              "too many requests wait for their time"});
}

// What has waited is behind what has come meanwhile.
void GrpcServer::Impl::RunAgain(std::unique_ptr<Request> request) {
  if (request->method->is_read) return PutReady({.work = std::move(request)});
  RunOnPool(std::move(request));
}

void GrpcServer::Impl::EndCall() {
  if (open_calls.fetch_sub(1) > 1 || !draining.load()) return;
  std::lock_guard<Monitor> lock(*gate);
  gate->NotifyAll();
}

// Until all calls have ended, but not for ever: false then.
bool GrpcServer::Impl::AwaitCalls() {
  const int64_t end_us = services.clock.MonotonicUs() + kStopGraceMs * 1000;
  std::lock_guard<Monitor> lock(*gate);
  while (open_calls.load() > 0) {
    const int64_t left_ms = (end_us - services.clock.MonotonicUs()) / 1000;
    if (left_ms <= 0 || !gate->WaitFor(left_ms)) return open_calls.load() == 0;
  }
  return true;
}

void GrpcServer::Impl::Stop() {
  draining = true;
  ::shutdown(listener.socket.fd(), SHUT_RD);  // Clients hear "refused" rather than nothing.
  for (const auto& connection : Connections()) connection->GoAway();
  postponed->Close();  // What waits for its time hears at once that there will be none.
  if (!AwaitCalls()) {
    for (const auto& connection : Connections()) connection->CancelCalls();
  }
  pool.reset();
  const uint64_t once = 1;
  (void)!::write(stop.fd(), &once, sizeof(once));
  pollers.reset();
  const int64_t end_us = services.clock.MonotonicUs() + kSendGraceMs * 1000;
  for (const auto& connection : Connections()) {
    while (connection->HasUnsent() && connection->Flush() && connection->HasUnsent()) {
      const int64_t left_ms = (end_us - services.clock.MonotonicUs()) / 1000;
      pollfd writable{.fd = connection->fd(), .events = POLLOUT, .revents = 0};
      if (left_ms <= 0 || ::poll(&writable, 1, static_cast<int>(left_ms)) <= 0) break;
    }
    Remove(connection);
  }
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

int GrpcServer::port() const { return impl_->listener.port; }

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(Executor& executor, proxy::Services& services,
                                                      const GrpcOptions& options) {
  // A client's bad bytes are answered; the library would also print a line for each.
  [[maybe_unused]] static auto* const kOnce = google::protobuf::SetLogHandler(nullptr);
  auto impl = std::make_unique<Impl>(executor, services, options);
  TRY(impl->Open(executor));
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::~GrpcServer() { impl_->Stop(); }

}  // namespace elanus::wire
