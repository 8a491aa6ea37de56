// Requests of S3 and their retries.
#include "backend/s3/s3_client.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "backend/s3/metrics.h"
#include "http/aws_signature.h"

namespace elanus::backend {
namespace {

constexpr int64_t kPauseStepMs = 50;
constexpr size_t kShownBytes = 300;

bool IsTrouble(int status, const std::string& code) {
  return status >= 500 || status == 429 || status == 408 || code == "SlowDown" ||
         code == "RequestTimeout" || code == "OperationAborted" ||
         code == "ConditionalRequestConflict";
}

// A key as it stands in an address: its '/' stay.
std::string EncodeKey(std::string_view key) {
  std::string encoded;
  while (true) {
    const size_t slash = key.find('/');
    encoded += http::EncodePathPart(key.substr(0, slash));
    if (slash == std::string_view::npos) return encoded;
    encoded += '/';
    key.remove_prefix(slash + 1);
  }
}

// Host and port of the configuration; those that the scheme means are left out, as in what is
// signed.
std::string HostOf(const ObjectStoreOptions& options) {
  std::string host = options.address;
  std::string port = std::to_string(options.port);
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    port = host.substr(colon + 1);
    host.resize(colon);
  }
  return port == (options.use_ssl ? "443" : "80") ? host : host + ":" + port;
}

}  // namespace

S3Client::S3Client(std::unique_ptr<http::Client> http, const ObjectStoreOptions& options,
                   int64_t first_pause_ms)
    : http_(std::move(http)),
      options_(options),
      first_pause_ms_(first_pause_ms),
      chance_(static_cast<uint64_t>(SystemClock().MonotonicUs())) {
  const std::string scheme = options.use_ssl ? "https://" : "http://";
  const std::string host = HostOf(options);
  host_ = scheme + host;
  base_ = options.use_virtual_host ? fmt::format("{}{}.{}", scheme, options.bucket, host)
                                   : fmt::format("{}/{}", host_, options.bucket);
}

std::string S3Client::Where() const { return fmt::format("{}, bucket {}", host_, options_.bucket); }

Status S3Client::MakeBucket(Context& ctx) {
  // With the prefix: who may see no more than that is not refused.
  const std::string prefix = options_.root_path.empty() ? "" : options_.root_path + "/";
  const Call look{
      .operation = "list",
      .method = "GET",
      .key = "",
      .query = fmt::format("list-type=2&max-keys=1&prefix={}", http::EncodePathPart(prefix))};
  const auto there = Ask(ctx, look);
  if (there.ok() || there.status().code() != ErrorCode::kKeyNotFound) return there.status();
  std::string body;
  if (!options_.region.empty() && options_.region != "us-east-1") {
    body = fmt::format(
        "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint>"
        "</CreateBucketConfiguration>",
        options_.region);
  }
  const Status made =
      Ask(ctx, {.operation = "put", .method = "PUT", .key = "", .body = body}).status();
  // Somebody else may have made it meanwhile.
  return made.ok() || Ask(ctx, look).ok() ? Status() : made;
}

Status S3Client::Put(Context& ctx, const std::string& key, std::string_view bytes) {
  return Ask(ctx, {.operation = "put", .method = "PUT", .key = key, .body = bytes}).status();
}

Result<bool> S3Client::PutNew(Context& ctx, const std::string& key, std::string_view bytes) {
  TRY_ASSIGN(const http::Response answer, Ask(ctx, {.operation = "put",
                                                    .method = "PUT",
                                                    .key = key,
                                                    .body = bytes,
                                                    .headers = {{"If-None-Match", "*"}}}));
  return answer.status != 412;
}

Result<S3Client::Whole> S3Client::GetWhole(Context& ctx, const std::string& key) {
  std::string whole;
  const S3Sink sink{.take = [&](std::string_view piece) -> Status {
                      whole += piece;
                      return {};
                    },
                    .restart = [&]() -> Status {
                      whole.clear();
                      return {};
                    }};
  S3Progress progress;
  TRY(Fetch(ctx, "stat", key, sink, progress));
  return Whole{.bytes = std::move(whole), .tag = std::move(progress.tag)};
}

Status S3Client::Fetch(Context& ctx, const char* operation, const std::string& key,
                       const S3Sink& sink, S3Progress& progress) {
  std::string& tag = progress.tag;
  uint64_t& taken = progress.taken;
  for (int failures = 0;;) {
    const uint64_t before = taken;
    Call call{.operation = operation, .method = "GET", .key = key};
    if (taken > 0) {
      call.headers = {{"Range", fmt::format("bytes={}-", taken)}, {"If-Match", tag}};
    }
    call.take_body = [&](const http::Response& answer, std::string_view piece) -> Status {
      if (taken > 0 && taken == before && answer.status != 206) {  // All of it again.
        TRY(sink.restart());
        taken = 0;
      }
      if (taken == 0) tag = http::HeaderOf(answer.headers, "etag");
      TRY(sink.take(piece));
      CountFetched(piece.size());
      taken += piece.size();
      return {};
    };
    bool may_help_again = false;
    auto answer = AskOnce(ctx, call, may_help_again);
    if (answer.ok() && answer->status < 300) return {};
    // What has come is not lost, so that an object of any size comes some time.
    failures = taken > before ? 1 : failures + 1;
    if (!answer.ok() && (!may_help_again || failures == kAttempts)) return answer.status();
    if (answer.ok() || tag.empty()) {  // Another object has the key by now; or nobody can tell.
      if (failures == kAttempts) {
        return Error(ErrorCode::kServiceUnavailable, "{}: it changes while it is read",
                     Shown(call));
      }
      TRY(sink.restart());
      taken = 0;
      tag.clear();
    }
    TRY(Pause(ctx, first_pause_ms_ << failures));
  }
}

Result<S3Page> S3Client::List(Context& ctx, const std::string& prefix, const std::string& from) {
  std::string query;
  if (!from.empty()) query += fmt::format("continuation-token={}&", http::EncodePathPart(from));
  query += "list-type=2";
  if (options_.list_keys_max > 0) query += fmt::format("&max-keys={}", options_.list_keys_max);
  query += fmt::format("&prefix={}", http::EncodePathPart(prefix));
  const Call call{.operation = "list", .method = "GET", .key = "", .query = std::move(query)};
  TRY_ASSIGN(const http::Response answer, Ask(ctx, call));
  auto page = ReadPage(answer.body);
  return page.ok() ? std::move(page) : page.status().WithContext(Shown(call));
}

Status S3Client::Delete(Context& ctx, const std::string& key) {
  const Status deleted = Ask(ctx, {.operation = "remove", .method = "DELETE", .key = key}).status();
  return deleted.code() == ErrorCode::kKeyNotFound ? Status() : deleted;
}

Result<bool> S3Client::PutInPlaceOf(Context& ctx, const std::string& key, std::string_view bytes,
                                    const std::string& tag) {
  TRY_ASSIGN(const http::Response answer, Ask(ctx, {.operation = "put",
                                                    .method = "PUT",
                                                    .key = key,
                                                    .body = bytes,
                                                    .headers = {{"If-Match", tag}}}));
  return answer.status != 412;
}

Result<std::string> S3Client::BeginParts(Context& ctx, const std::string& key) {
  const Call call{.operation = "put", .method = "POST", .key = key, .query = "uploads="};
  TRY_ASSIGN(const http::Response answer, Ask(ctx, call));
  auto id = ReadUploadId(answer.body);
  return id.ok() ? std::move(id) : id.status().WithContext(Shown(call));
}

Result<std::string> S3Client::PutPart(Context& ctx, const std::string& key,
                                      const std::string& upload, size_t number,
                                      std::string_view bytes) {
  const Call call{
      .operation = "put",
      .method = "PUT",
      .key = key,
      .query = fmt::format("partNumber={}&uploadId={}", number, http::EncodePathPart(upload)),
      .body = bytes};
  TRY_ASSIGN(const http::Response answer, Ask(ctx, call));
  std::string tag = http::HeaderOf(answer.headers, "etag");
  if (tag.empty()) return Error(ErrorCode::kIoFailed, "{}: a part has no ETag", Shown(call));
  return tag;
}

Status S3Client::FinishParts(Context& ctx, const std::string& key, const std::string& upload,
                             const std::vector<std::string>& tags) {
  const std::string body = WriteParts(tags);
  return Ask(ctx, {.operation = "put",
                   .method = "POST",
                   .key = key,
                   .query = fmt::format("uploadId={}", http::EncodePathPart(upload)),
                   .body = body})
      .status();
}

Status S3Client::GiveUpParts(Context& ctx, const std::string& key, const std::string& upload) {
  const Status given_up =
      Ask(ctx, {.operation = "remove",
                .method = "DELETE",
                .key = key,
                .query = fmt::format("uploadId={}", http::EncodePathPart(upload))})
          .status();
  return given_up.code() == ErrorCode::kKeyNotFound ? Status() : given_up;
}

Result<std::vector<S3Client::Unfinished>> S3Client::ListParts(Context& ctx) {
  std::vector<Unfinished> all;
  S3UploadPage page;
  do {
    std::string query;
    if (!page.next_key.empty()) {
      query = fmt::format("key-marker={}&upload-id-marker={}&", http::EncodePathPart(page.next_key),
                          http::EncodePathPart(page.next_id));
    }
    const Call call{.operation = "list", .method = "GET", .key = "", .query = query + "uploads="};
    TRY_ASSIGN(const http::Response answer, Ask(ctx, call));
    auto read = ReadUploads(answer.body);
    if (!read.ok()) return read.status().WithContext(Shown(call));
    page = std::move(*read);
    // By one clock: the store's, which may differ from this machine's.
    const int64_t now_s =
        ReadHttpTime(http::HeaderOf(answer.headers, "date")).value_or(SystemClock().NowMs() / 1000);
    for (S3Upload& upload : page.uploads) {
      all.push_back({.key = std::move(upload.key),
                     .upload = std::move(upload.id),
                     .age_ms = std::max<int64_t>(0, now_s - upload.begun_s) * 1000});
    }
  } while (!page.next_key.empty());
  return all;
}

Result<http::Response> S3Client::Ask(Context& ctx, const Call& call) {
  for (int attempt = 1;; ++attempt) {
    bool may_help_again = false;
    auto answer = AskOnce(ctx, call, may_help_again);
    if (answer.ok() || !may_help_again || attempt == kAttempts) return answer;
    TRY(Pause(ctx, first_pause_ms_ << (attempt - 1)));
  }
}

Result<http::Response> S3Client::AskOnce(Context& ctx, const Call& call, bool& may_help_again) {
  http::Request request{.method = call.method,
                        .url = base_ + "/" + EncodeKey(call.key),
                        .headers = call.headers,
                        .body = std::string(call.body),
                        .take_body = call.take_body,
                        .stall_ms = options_.request_timeout_ms};
  if (!call.query.empty()) request.url += "?" + call.query;
  // The machine's time, not that of a test: the store compares it with its own.
  const int64_t now_ms = SystemClock().NowMs();
  http::SignForAws({.id = options_.access_key_id,
                    .secret = options_.secret_access_key,
                    .region = options_.region.empty() ? "us-east-1" : options_.region,
                    .service = "s3"},
                   now_ms, request);
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/octet-stream");
  const int64_t begin_us = SystemClock().MonotonicUs();
  auto answer = http_->Send(ctx, request, 0);
  CountRequest(call.operation, answer.ok() ? answer->status : 0,
               SystemClock().MonotonicUs() - begin_us, call.body.size());
  if (!answer.ok()) {
    may_help_again = answer.status().code() == ErrorCode::kServiceUnavailable;
    return answer.status().WithContext(Shown(call));
  }
  const bool is_answer = answer->status == 412 || (answer->status == 416 && call.take_body);
  // Parts are put together in an answer of 200 that may still say that it failed.
  const bool is_late = answer->status == 200 && call.method == std::string_view("POST") &&
                       !ReadRefusal(answer->body).code.empty();
  if (!is_late && (is_answer || (answer->status >= 200 && answer->status < 300))) return answer;
  // A MinIO on one disk says AccessDenied, too, when a folder goes while an object comes into it.
  const std::string code = ReadRefusal(answer->body).code;
  const bool is_write = call.method != std::string_view("GET");
  may_help_again =
      is_late || IsTrouble(answer->status, code) || (is_write && code == "AccessDenied");
  return Refused(call, *answer);
}

Status S3Client::Refused(const Call& call, const http::Response& response) const {
  S3Refusal refusal = ReadRefusal(response.body);
  std::string said =
      refusal.code.empty() ? "" : fmt::format(" {}: {}", refusal.code, refusal.message);
  for (const std::string& secret : {options_.secret_access_key, options_.access_key_id}) {
    for (size_t at = said.find(secret); !secret.empty() && at != std::string::npos;
         at = said.find(secret, at + 3)) {
      said.replace(at, secret.size(), "***");
    }
  }
  if (said.size() > kShownBytes) said = said.substr(0, kShownBytes) + "...";
  for (char& c : said) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = ' ';
  }
  ErrorCode code = ErrorCode::kIoFailed;
  if (IsTrouble(response.status, refusal.code) || response.status == 200) {
    code = ErrorCode::kServiceUnavailable;
  } else if (response.status == 404 && call.method == std::string_view("POST")) {
    // The upload has gone, perhaps because it is finished and the answer was lost: once more all.
    code = ErrorCode::kServiceUnavailable;
  } else if (response.status == 404 && (call.key.empty() || refusal.code != "NoSuchBucket")) {
    code = ErrorCode::kKeyNotFound;
  }
  return Error(code, "{}: HTTP status {}{}", Shown(call), response.status, said);
}

std::string S3Client::Shown(const Call& call) const {
  return fmt::format("object store {}, {} {}", Where(), call.method,
                     call.key.empty() ? "of the bucket" : call.key);
}

Status S3Client::Pause(Context& ctx, int64_t ms) {
  CountRetry();
  // Half of it and up to half more by chance: those that failed together do not come together.
  uint64_t z = chance_.fetch_add(0x9E3779B97F4A7C15) + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;  // SplitMix64 (Steele, Lea and Flood 2014).
  z ^= z >> 31;
  int64_t left_ms = ms / 2 + static_cast<int64_t>(z % static_cast<uint64_t>(ms / 2 + 1));
  for (; left_ms > 0; left_ms -= kPauseStepMs) {
    TRY(ctx.CheckAlive());
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(left_ms, kPauseStepMs)));
  }
  return ctx.CheckAlive();
}

}  // namespace elanus::backend
