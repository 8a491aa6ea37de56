// One HTTP exchange, as model services need it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/executor.h"

namespace elanus::functions {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "POST";
  std::string url;  // http or https, whole.
  Headers headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::string body;
};

/// Thread-safe.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Sends the request and waits for the whole answer, whatever its status. Errors:
  /// kServiceUnavailable (no answer, not in `timeout_ms`, or a cut or too large one), kCanceled and
  /// kDeadlineExceeded (the caller's own, noticed within 100 ms), kInvalidParameter (the address).
  virtual Result<HttpResponse> Send(Context& ctx, const HttpRequest& request,
                                    int64_t timeout_ms) = 0;
};

struct HttpOptions {
  int64_t connect_timeout_ms = 10'000;
  int64_t answer_bytes_max = 64 << 20;
  size_t idle_max = 16;  // Connections kept open: those of so many senders.
  std::string ca_file;   // Of who vouches for services, in PEM; empty: as the machine has it.
};

/// On libcurl: connections are kept and used again, certificates are checked, redirections are not
/// followed, since they would carry secrets elsewhere; proxies as the environment says.
std::unique_ptr<HttpClient> MakeHttpClient(const HttpOptions& options);

/// The address without user, password and query, for messages.
std::string ShownUrl(const std::string& url);

}  // namespace elanus::functions
