// One HTTP exchange, as services that elanus asks need it: model services, object stores.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/executor.h"

namespace elanus::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response {
  int status = 0;
  std::string body;  // Empty where take_body took it.
  Headers headers;   // Names in small letters.
};

struct Request {
  std::string method = "POST";
  std::string url;  // http or https, whole.
  Headers headers;
  std::string body;
  /// Where given, it takes the body of an answer of 2xx piece by piece, with the answer's status
  /// and headers; an error of it ends the exchange and is returned. The body comes as it is stored,
  /// never compressed.
  std::function<Status(const Response&, std::string_view)> take_body;
  int64_t stall_ms = 0;  // Given up when no byte has moved for so long; 0: never for that.
};

/// Its value; empty when it is not there.
std::string HeaderOf(const Headers& headers, std::string_view name);

/// Thread-safe.
class Client {
 public:
  virtual ~Client() = default;
  /// Sends the request and waits for the whole answer, whatever its status. `timeout_ms` 0: as long
  /// as it takes. Errors: kServiceUnavailable (no answer, not in time, or a cut or too large one),
  /// kCanceled and kDeadlineExceeded (the caller's own, noticed within 100 ms), kInvalidParameter
  /// (the address), those of take_body.
  virtual Result<Response> Send(Context& ctx, const Request& request, int64_t timeout_ms) = 0;
};

struct Options {
  int64_t connect_timeout_ms = 10'000;
  int64_t answer_bytes_max = 64 << 20;  // Of what is not taken piece by piece.
  size_t idle_max = 16;                 // Connections kept open: those of so many senders.
  std::string ca_file;  // Of who vouches for services, in PEM; empty: as the machine has it.
};

/// On libcurl: connections are kept and used again, certificates are checked, redirections are not
/// followed, since they would carry secrets elsewhere; proxies as the environment says.
std::unique_ptr<Client> MakeClient(const Options& options);

/// The address without user, password and query, for messages.
std::string ShownUrl(const std::string& url);

}  // namespace elanus::http
