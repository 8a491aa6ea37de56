// HTTP on libcurl. A sender is a multi handle with one transfer in it: it waits in short steps, in
// between it looks whether its caller is still there, and it keeps its connections for the next.
#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "functions/http_client.h"

namespace elanus::functions {
namespace {

constexpr int kStepMs = 50;

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
  std::string body;
  size_t bytes_max;
  bool is_too_large = false;
};

size_t TakeBody(char* data, size_t, size_t bytes, void* to) {
  auto& answer = *static_cast<Answer*>(to);
  if (answer.body.size() + bytes > answer.bytes_max) {
    answer.is_too_large = true;
    return 0;
  }
  answer.body.append(data, bytes);
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

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(const HttpOptions& options) : options_(options) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  Result<HttpResponse> Send(Context& ctx, const HttpRequest& request, int64_t timeout_ms) override {
    TRY(ctx.CheckAlive());
    if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
      return Invalid("the address of a model service should begin with http:// or https://: {}",
                     ShownUrl(request.url));
    }
    TRY_ASSIGN(const List headers, ListOf(request.headers));
    Multi multi = Take();
    const Easy easy(curl_easy_init());
    if (multi == nullptr || easy == nullptr) {
      return Status(ErrorCode::kMemoryLimitExceeded, "no memory for an HTTP request");
    }
    Answer answer{.body = {}, .bytes_max = static_cast<size_t>(options_.answer_bytes_max)};
    Prepare(easy.get(), request, headers.get(), timeout_ms, answer);
    curl_multi_add_handle(multi.get(), easy.get());
    Result<CURLcode> done = Wait(ctx, multi.get());
    curl_multi_remove_handle(multi.get(), easy.get());
    if (!done.ok()) return done.status();  // The connection goes with the sender.
    Give(std::move(multi));
    if (*done != CURLE_OK) {
      return Error(ErrorCode::kServiceUnavailable, "no answer from {}: {}", ShownUrl(request.url),
                   answer.is_too_large ? fmt::format("more than {} bytes", answer.bytes_max)
                                       : curl_easy_strerror(*done));
    }
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    return HttpResponse{.status = static_cast<int>(status), .body = std::move(answer.body)};
  }

 private:
  void Prepare(CURL* easy, const HttpRequest& request, curl_slist* headers, int64_t timeout_ms,
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
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(1, timeout_ms)));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(std::min(timeout_ms, options_.connect_timeout_ms)));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, TakeBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
    // No proxy leads to this machine itself.
    if (IsLoopback(request.url)) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  }

  static Result<CURLcode> Wait(Context& ctx, CURLM* multi) {
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

  const HttpOptions options_;
  std::mutex mutex_;  // Guards `idle_`.
  std::vector<Multi> idle_;
};

}  // namespace

std::unique_ptr<HttpClient> MakeHttpClient(const HttpOptions& options) {
  return std::make_unique<CurlClient>(options);
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

}  // namespace elanus::functions
