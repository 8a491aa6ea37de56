// A remote object store from its options.
#include "backend/s3/open_s3.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "backend/s3/ownership.h"
#include "backend/s3/s3_object_store.h"
#include "base/log.h"
#include "base/machine.h"
#include "store/object_key.h"

namespace elanus::backend {
namespace {

constexpr int64_t kMb = 1 << 20;

Status Check(const ObjectStoreOptions& options) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  const std::string& bucket = options.bucket;
  if (bucket.size() < 3 || bucket.size() > 63 ||
      !std::all_of(bucket.begin(), bucket.end(), is_plain)) {
    return Invalid(
        "minio.bucketName should be of 3 to 63 small letters, digits, '-' and '.', got {}", bucket);
  }
  if (!options.root_path.empty() && !store::CheckObjectKey(options.root_path).ok()) {
    return Invalid("minio.rootPath should be a path without empty parts, got {}",
                   options.root_path);
  }
  const bool is_host =
      !options.address.empty() && options.address.find_first_of("/?@# ") == std::string::npos;
  if (!is_host) return Invalid("minio.address should be a host, got {}", options.address);
  if (options.access_key_id.empty()) return Invalid("minio.accessKeyID should not be empty");
  if (options.secret_access_key.empty())
    return Invalid("minio.secretAccessKey should not be empty");
  return {};
}

// What the copies may take. Those that are there count as room, or each start would leave less.
Result<int64_t> CopyBytes(const std::string& directory, const std::string& folder,
                          const ObjectStoreOptions& options) {
  if (options.copy_mb_max > 0) return options.copy_mb_max * kMb;
  TRY_ASSIGN(const DiskUse disk, ReadDiskUse(directory));
  int64_t there = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    if (at->is_regular_file(gone)) there += static_cast<int64_t>(at->file_size(gone));
  }
  return (disk.free_bytes + there) / 2;
}

}  // namespace

Result<std::unique_ptr<store::ObjectStore>> OpenS3(const std::string& directory,
                                                   const ObjectStoreOptions& options) {
  TRY(Check(options));
  auto http = http::MakeClient({.connect_timeout_ms = options.request_timeout_ms,
                                .answer_bytes_max = 8 * kMb,
                                .idle_max = 64,
                                .ca_file = options.ca_file});
  auto client = std::make_unique<S3Client>(std::move(http), options);
  SystemClock clock;
  Context ctx(clock);
  TRY(client->MakeBucket(ctx));
  TRY_ASSIGN(auto claim, TakeOwnership(ctx, *client, directory, options.bucket, options.root_path));
  const std::string folder = directory + "/object-copies";
  TRY_ASSIGN(const int64_t copy_bytes, CopyBytes(directory, folder, options));
  TRY_ASSIGN(auto copies, LocalCopies::Open(folder, copy_bytes));
  LogInfo("objects lie in an object store where=\"{}\" root={} copy_mb_max={}", client->Where(),
          options.root_path, copy_bytes / kMb);
  return MakeS3ObjectStore({.client = std::move(client),
                            .copies = std::move(copies),
                            .claim = std::move(claim),
                            .root_path = options.root_path});
}

}  // namespace elanus::backend
