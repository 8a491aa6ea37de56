// The management port: is the server well, and what whoever looks after it may ask.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/option_spec.h"

namespace elanus::wire {

struct ManagementOptions {
  std::string address = "0.0.0.0";
  int64_t port = 9091;
  int64_t body_bytes_max = 4 << 20;
  int64_t request_s_max = 60;
  int64_t waiting_max = 16;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(port,
          OptionSpec{"management.port", "", 0, 65535, "Port of /healthz; 0 picks a free one."});
    visit(body_bytes_max, OptionSpec{"management.maxBodySize", "bytes", 1024, 1e9,
                                     "Size of a request to the management port."});
    visit(request_s_max, OptionSpec{"management.requestTimeout", "seconds", 1, 3600,
                                    "How long the management port works on one request."});
    visit(waiting_max, OptionSpec{"management.maxWaitingRequests", "", 1, 1024,
                                  "Requests to the management port that wait for their turn."});
  }
};

struct HttpAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// A path that is answered beyond /healthz.
struct ManagementRoute {
  std::string path;  // "/explain".
  /// How it may be asked. Without a POST there is no body.
  enum class Asked { kByPost, kByGetOrHead, kByGetOrPost };
  /// `query` is what stands behind the question mark. One request at a time, all routes together.
  /// The context ends with the time for a request.
  std::function<HttpAnswer(Context& ctx, std::string_view query, std::string_view body)> run;
  Asked asked = Asked::kByPost;
};

/// Answers GET and HEAD of /healthz with 200, the routes' paths by their routes, other paths with
/// 404, and other methods with 405, on workers of its own. Thread-safe after Start.
class ManagementServer {
 public:
  /// kIoFailed when the port is taken, the address is none, or there are no descriptors left.
  static Result<std::unique_ptr<ManagementServer>> Start(Executor& executor,
                                                         const ManagementOptions& options,
                                                         std::vector<ManagementRoute> routes = {});
  ~ManagementServer();
  int port() const;

 private:
  struct Impl;
  explicit ManagementServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::wire
