// Which data folder the objects of a remote store belong to, and which server of it writes them,
// noted on both sides.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "backend/local/file_system.h"
#include "backend/s3/s3_client.h"

namespace elanus::backend {

/// The file in a data folder that says where its objects lie.
inline constexpr std::string_view kPlaceFile = "/object-store";
/// The object that says whose the others beside it are; no key of an object, as it begins with '.'.
inline constexpr std::string_view kOwnerKey = ".owner";

/// What the start of a server has written into the mark, and nobody else has since. Thread-safe.
class Claim {
 public:
  /// `client` outlives it.
  Claim(S3Client& client, std::string key, std::string id)
      : client_(client), key_(std::move(key)), id_(std::move(id)) {}

  /// For how long an answer of the store is believed.
  static constexpr int64_t kBelievedMs = 1000;
  /// To be asked before something is written or deleted. Asks the store once in kBelievedMs at
  /// most, and never without being asked. Errors: kIoFailed, from then on, when the mark is
  /// another's or has gone; those of the store.
  Status Check(Context& ctx);

 private:
  S3Client& client_;
  const std::string key_;
  const std::string id_;
  std::mutex mutex_;  // Guards what follows; held for memory work.
  int64_t seen_us_ = INT64_MIN;
  Status lost_;
};

/// Makes the data folder the owner of what lies under `root_path`, or finds that it is, and the
/// caller the only server that writes there: the mark in the store is written on the condition that
/// it is as it was read, so that of two one wins. Where the mark is that of another place, waits
/// for `settle_ms` until whoever had it has noticed. Errors: kInvalidParameter when the root is
/// another folder's, when a copy of this folder has taken it over since, when the folder's objects
/// lie elsewhere, or when the mark has gone from a root that was the folder's.
Result<std::unique_ptr<Claim>> TakeOwnership(Context& ctx, S3Client& client,
                                             const std::string& directory,
                                             const std::string& bucket,
                                             const std::string& root_path,
                                             FileSystem& files = LocalFileSystem(),
                                             int64_t settle_ms = 2 * Claim::kBelievedMs);

/// kInvalidParameter when the data folder's objects lie in a remote store.
Status CheckObjectsAreLocal(const std::string& directory, FileSystem& files = LocalFileSystem());

}  // namespace elanus::backend
