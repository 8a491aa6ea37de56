// HTTP on libcurl. A sender is a multi handle with one transfer in it: it waits in short steps, in
// between it looks whether its caller is still there, and it keeps its connections for the next.
#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "http/client.h"

namespace elanus::http {
namespace {

constexpr int kStepMs = 50;
constexpr long kPieceBytes = 256 << 10;  // Read and written at a time.

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Multi = std::unique_ptr<CURLM, FreeMulti>;
using Easy = std::unique_ptr<CURL, FreeEasy>;
using List = std::unique_ptr<curl_slist, FreeList>;

struct Answer {
  const Request& request;
  CURL* easy;
  size_t bytes_max;
  Response response = {};
  uint64_t bytes = 0;  // Of its body that have come.
  bool is_too_large = false;
  Status refused = {};  // Why the taker of the body wanted no more.
};

size_t TakeBody(char* data, size_t, size_t bytes, void* to) {
  auto& answer = *static_cast<Answer*>(to);
  answer.bytes += bytes;
  if (answer.request.take_body) {
    long status = 0;
    curl_easy_getinfo(answer.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
      answer.response.status = static_cast<int>(status);
      answer.refused = answer.request.take_body(answer.response, std::string_view(data, bytes));
      return answer.refused.ok() ? bytes : 0;
    }
  }
  std::string& body = answer.response.body;
  if (body.size() + bytes > answer.bytes_max) {
    answer.is_too_large = true;
    return 0;
  }
  body.append(data, bytes);
  return bytes;
}

// One line: the answer's first, that of a header, or the empty one behind them.
size_t TakeHeader(char* data, size_t, size_t bytes, void* to) {
  auto& headers = static_cast<Answer*>(to)->response.headers;
  const std::string_view line(data, bytes);
  if (line.starts_with("HTTP/")) headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bytes;
  std::string name(line.substr(0, colon));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ') value.remove_suffix(1);
  headers.emplace_back(std::move(name), value);
  return bytes;
}

Result<List> ListOf(const Headers& headers) {
  // Large bodies are not announced first: a service that does not answer that costs a second.
  List list(curl_slist_append(nullptr, "Expect:"));
  for (const auto& [name, value] : headers) {
    // A line break would begin a header that nobody wrote.
    if ((name + value).find_first_of("\r\n") != std::string::npos) {
      return Invalid("the value of the HTTP header {} has a line break", name);
    }
    curl_slist* longer = curl_slist_append(list.get(), (name + ": " + value).c_str());
    if (longer == nullptr) return Status(ErrorCode::kMemoryLimitExceeded, "an HTTP header");
    (void)list.release();
    list.reset(longer);
  }
  return list;
}

bool IsLoopback(const std::string& url) {
  for (const char* host : {"//localhost", "//127.", "//[::1]"}) {
    if (url.find(host) != std::string::npos) return true;
  }
  return false;
}

class CurlClient final : public Client {
 public:
  explicit CurlClient(const Options& options) : options_(options) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  Result<Response> Send(Context& ctx, const Request& request, int64_t timeout_ms) override {
    TRY(ctx.CheckAlive());
    if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
      return Invalid("the address of a service should begin with http:// or https://: {}",
                     ShownUrl(request.url));
    }
    TRY_ASSIGN(const List headers, ListOf(request.headers));
    Multi multi = Take();
    const Easy easy(curl_easy_init());
    if (multi == nullptr || easy == nullptr) {
      return Status(ErrorCode::kMemoryLimitExceeded, "no memory for an HTTP request");
    }
    Answer answer{.request = request,
                  .easy = easy.get(),
                  .bytes_max = static_cast<size_t>(options_.answer_bytes_max)};
    Prepare(easy.get(), request, headers.get(), timeout_ms, answer);
    curl_multi_add_handle(multi.get(), easy.get());
    Result<CURLcode> done = Wait(ctx, multi.get(), answer);
    curl_multi_remove_handle(multi.get(), easy.get());
    if (!done.ok()) return done.status();  // The connection goes with the sender.
    Give(std::move(multi));
    TRY(std::move(answer.refused));
    if (*done != CURLE_OK) {
      return Error(ErrorCode::kServiceUnavailable, "no answer from {}: {}", ShownUrl(request.url),
                   answer.is_too_large ? fmt::format("more than {} bytes", answer.bytes_max)
                                       : curl_easy_strerror(*done));
    }
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.response.status = static_cast<int>(status);
    return std::move(answer.response);
  }

 private:
  void Prepare(CURL* easy, const Request& request, curl_slist* headers, int64_t timeout_ms,
               Answer& answer) const {
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (request.method != "GET") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (!request.take_body) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(0, timeout_ms)));
    curl_easy_setopt(
        easy, CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(timeout_ms > 0 ? std::min(timeout_ms, options_.connect_timeout_ms)
                                         : options_.connect_timeout_ms));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kPieceBytes);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kPieceBytes);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, TakeBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, TakeHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &answer);
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
    // No proxy leads to this machine itself.
    if (IsLoopback(request.url)) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  }

  // What has moved of the exchange so far, both ways.
  static uint64_t Moved(const Answer& answer) {
    curl_off_t sent = 0;
    curl_easy_getinfo(answer.easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return answer.bytes + static_cast<uint64_t>(sent);
  }

  static Result<CURLcode> Wait(Context& ctx, CURLM* multi, const Answer& answer) {
    const int64_t stall_us = answer.request.stall_ms * 1000;
    uint64_t moved_bytes = 0;
    int64_t moved_us = ctx.clock().MonotonicUs();
    while (true) {
      int running = 0;
      const CURLMcode moved = curl_multi_perform(multi, &running);
      if (moved != CURLM_OK) {
        return Error(ErrorCode::kServiceUnavailable, "HTTP: {}", curl_multi_strerror(moved));
      }
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg == CURLMSG_DONE) return message->data.result;
      }
      TRY(ctx.CheckAlive());
      const int64_t now_us = ctx.clock().MonotonicUs();
      if (const uint64_t bytes = Moved(answer); bytes != moved_bytes) {
        moved_bytes = bytes;
        moved_us = now_us;
      } else if (stall_us > 0 && now_us - moved_us > stall_us) {
        return Error(ErrorCode::kServiceUnavailable, "no answer from {}: nothing moved for {} ms",
                     ShownUrl(answer.request.url), answer.request.stall_ms);
      }
      curl_multi_poll(multi, nullptr, 0, kStepMs, nullptr);
    }
  }

  Multi Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return Multi(curl_multi_init());
    Multi taken = std::move(idle_.back());
    idle_.pop_back();
    return taken;
  }

  void Give(Multi multi) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() < options_.idle_max) idle_.push_back(std::move(multi));
  }

  const Options options_;
  std::mutex mutex_;  // Guards `idle_`.
  std::vector<Multi> idle_;
};

}  // namespace

std::unique_ptr<Client> MakeClient(const Options& options) {
  return std::make_unique<CurlClient>(options);
}

std::string HeaderOf(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

std::string ShownUrl(const std::string& url) {
  std::string shown = url.substr(0, url.find('?'));
  const size_t host = shown.find("//");
  if (host == std::string::npos) return shown;
  const size_t end = shown.find('/', host + 2);
  const size_t at = shown.rfind('@', end);
  if (at != std::string::npos && at > host) shown.erase(host + 2, at - host - 1);
  return shown;
}

}  // namespace elanus::http
