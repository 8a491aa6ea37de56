// The management port: is the server well.
#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "base/option_spec.h"

namespace elanus::wire {

struct ManagementOptions {
  std::string address = "0.0.0.0";
  int64_t port = 9091;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(port,
          OptionSpec{"management.port", "", 0, 65535, "Port of /healthz; 0 picks a free one."});
  }
};

/// Answers GET and HEAD of /healthz with 200, of other paths with 404, and other methods with 405,
/// on a worker of its own. Thread-safe after Start.
class ManagementServer {
 public:
  /// kIoFailed when the port is taken, the address is none, or there are no descriptors left.
  static Result<std::unique_ptr<ManagementServer>> Start(Executor& executor,
                                                         const ManagementOptions& options);
  ~ManagementServer();
  int port() const;

 private:
  struct Impl;
  explicit ManagementServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::wire
