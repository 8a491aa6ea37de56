// What is asked of an object store that speaks S3: each call one request or, while the store is in
// trouble, a few.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/object_store_options.h"
#include "backend/s3/answers.h"
#include "http/client.h"

namespace elanus::backend {

/// Takes an object that is fetched.
struct S3Sink {
  std::function<Status(std::string_view)> take;
  std::function<Status()> restart;  // What was taken is void: it begins anew.
};

/// How far an object has been fetched: what a caller has left, another goes on with.
struct S3Progress {
  std::string tag;  // Of the object that `taken` bytes are of.
  uint64_t taken = 0;
};

/// Thread-safe. Keys are whole: what stands before them is the caller's. Connections that break or
/// stand still, 5xx, 429 and what says that it is busy are tried again, `kAttempts` times in all,
/// with pauses that double and are partly chance. Errors: kServiceUnavailable (those to the end),
/// kKeyNotFound, kIoFailed (any other refusal), kCanceled, kDeadlineExceeded;
/// each names the store, the bucket and the key, with status and code of what was answered, and
/// never a secret.
class S3Client {
 public:
  static constexpr int kAttempts = 5;

  S3Client(std::unique_ptr<http::Client> http, const ObjectStoreOptions& options,
           int64_t first_pause_ms = 100);

  /// Makes the bucket unless it is there.
  Status MakeBucket(Context& ctx);
  Status Put(Context& ctx, const std::string& key, std::string_view bytes);
  /// False when the key has an object already.
  Result<bool> PutNew(Context& ctx, const std::string& key, std::string_view bytes);
  /// False when the key's object is not the version with this tag any more. An answer that was lost
  /// may end so, too.
  Result<bool> PutInPlaceOf(Context& ctx, const std::string& key, std::string_view bytes,
                            const std::string& tag);
  /// Goes on where a connection broke, or where `progress` says, as long as the object is the same.
  /// After an error of the caller's, `progress` says how far it got.
  Status Get(Context& ctx, const std::string& key, const S3Sink& sink, S3Progress& progress) {
    return Fetch(ctx, "get", key, sink, progress);
  }
  /// The whole of a small object, which metrics count as "stat", and the tag of this version of it.
  /// Errors: as Get.
  struct Whole {
    std::string bytes;
    std::string tag;
  };
  Result<Whole> GetWhole(Context& ctx, const std::string& key);
  Result<S3Page> List(Context& ctx, const std::string& prefix, const std::string& from);
  /// Succeeds when there is none.
  Status Delete(Context& ctx, const std::string& key);

  /// An object in parts of at least 5 MB but the last. What is neither finished nor given up stays
  /// in the store, unseen.
  Result<std::string> BeginParts(Context& ctx, const std::string& key);
  Result<std::string> PutPart(Context& ctx, const std::string& key, const std::string& upload,
                              size_t number, std::string_view bytes);
  Status FinishParts(Context& ctx, const std::string& key, const std::string& upload,
                     const std::vector<std::string>& tags);
  Status GiveUpParts(Context& ctx, const std::string& key, const std::string& upload);
  /// The bucket's uploads in parts that are neither finished nor given up, each with its age. Of
  /// all keys: MinIO knows no prefix here.
  struct Unfinished {
    std::string key;
    std::string upload;
    int64_t age_ms = 0;
  };
  Result<std::vector<Unfinished>> ListParts(Context& ctx);

  /// As in "http://host:9000, bucket b".
  std::string Where() const;

 private:
  /// What one call asks.
  struct Call {
    const char* operation;  // As metrics name it.
    const char* method;
    std::string key;  // Empty: the bucket.
    std::string query = {};
    std::string_view body = {};
    http::Headers headers = {};
    std::function<Status(const http::Response&, std::string_view)> take_body = {};
  };
  Status Fetch(Context& ctx, const char* operation, const std::string& key, const S3Sink& sink,
               S3Progress& progress);
  Result<http::Response> Ask(Context& ctx, const Call& call);
  Result<http::Response> AskOnce(Context& ctx, const Call& call, bool& may_help_again);
  Status Refused(const Call& call, const http::Response& response) const;
  std::string Shown(const Call& call) const;
  Status Pause(Context& ctx, int64_t ms);

  const std::unique_ptr<http::Client> http_;
  const ObjectStoreOptions options_;
  const int64_t first_pause_ms_;
  std::string base_;  // Of addresses: scheme and host, and the bucket where the path has it.
  std::string host_;  // With scheme, for messages.
  std::atomic<uint64_t> chance_;
};

}  // namespace elanus::backend
