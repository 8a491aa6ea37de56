// The gRPC front: connections (connection.h), polling threads of which as few work as keep up
// (pollers.h), a table of methods, a bounded pool that runs them. Reads run on the polling thread
// their bytes came to while another one is left to poll, which saves a wake-up.
#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "base/option_spec.h"
#include "proxy/services.h"

namespace elanus::wire {

struct GrpcOptions {
  std::string address = "0.0.0.0";
  int64_t port = 19530;
  int64_t receive_bytes_max = 64 << 20;
  int64_t send_bytes_max = 256 << 20;
  int64_t request_workers = 8;
  int64_t request_queue_max = 1024;
  int64_t connections_max = 10'000;
  int64_t streams_max = 1024;
  int64_t polling_threads = 0;  // 0: the server chooses; here 1.

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(port, OptionSpec{"proxy.port", "", 0, 65535, "Port of the clients; 0 picks a free one."});
    visit(receive_bytes_max, OptionSpec{"proxy.grpc.serverMaxRecvSize", "bytes", 1024, 2147483647,
                                        "Largest request."});
    visit(send_bytes_max,
          OptionSpec{"proxy.grpc.serverMaxSendSize", "bytes", 1024, 2147483647, "Largest answer."});
    visit(request_workers,
          OptionSpec{"proxy.requestWorkers", "", 1, 1024, "Requests that run at a time."});
    visit(request_queue_max,
          OptionSpec{"proxy.maxTaskNum", "", 1, 1e6,
                     "Requests that may wait; one more is answered \"too many\"."});
    visit(connections_max, OptionSpec{"proxy.grpc.maxConnections", "", 1, 1e6,
                                      "Clients that may be connected; one more is hung up on."});
    visit(streams_max, OptionSpec{"proxy.grpc.maxConcurrentStreams", "", 1, 1e6,
                                  "Calls that one connection may have running."});
    visit(
        polling_threads,
        OptionSpec{"proxy.pollingThreads", "", 0, 1024,
                   "Threads that take requests in and, all but one, run reads on the spot; 0: one "
                   "more than processors, 1: every request goes to the workers."});
  }
};

/// Thread-safe after Start. The services must outlive it.
class GrpcServer {
 public:
  /// Listens and serves. kIoFailed when the port is taken.
  static Result<std::unique_ptr<GrpcServer>> Start(Executor& executor, proxy::Services& services,
                                                   const GrpcOptions& options);
  /// Answers what runs, for five seconds at most, refuses what is new, and ends. Does not wait for
  /// clients that only stay connected.
  ~GrpcServer();
  int port() const;

 private:
  struct Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::wire
