// What whoever keeps snapshots answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/requests/snapshot.h"

namespace elanus::roles {

inline constexpr ErrorCode kSnapshotNotFound{2600};
inline constexpr ErrorCode kSnapshotPinned{2601};
inline constexpr ErrorCode kRestoreJobNotFound{2101};

/// Thread-safe. Snapshots are named within their collection.
class Snapshots {
 public:
  virtual ~Snapshots() = default;
  /// Of what is flushed; flushes nothing. Errors: kCollectionNotFound, kInvalidParameter (the name
  /// is taken, or the protection out of range).
  virtual Status Create(Context& ctx, const model::CreateSnapshotRequest& request) = 0;
  /// An unknown one: success. Errors: kSnapshotPinned.
  virtual Status Drop(Context& ctx, const model::CollectionName& collection,
                      const std::string& name) = 0;
  /// Names, ascending; of an empty collection name those of the whole database.
  virtual Result<std::vector<std::string>> List(Context& ctx,
                                                const model::CollectionName& collection) = 0;
  /// Errors: kSnapshotNotFound.
  virtual Result<model::SnapshotInfo> Describe(Context& ctx,
                                               const model::CollectionName& collection,
                                               const std::string& name) = 0;
  /// Queues a restore into `target`, which must not exist, and returns the job's id. The new
  /// collection appears whole, and is not loaded. Errors: kSnapshotNotFound, kInvalidParameter.
  virtual Result<int64_t> Restore(Context& ctx, const model::CollectionName& collection,
                                  const std::string& name, const model::CollectionName& target) = 0;
  /// Jobs of this process, the oldest first; of `target`, or of an empty name all. `id` 0: any.
  virtual std::vector<model::RestoreJob> RestoreJobs(int64_t id, const std::string& target) = 0;
  /// Keeps it from being dropped for `ttl_s` (0: until it is unpinned). The pin's id.
  virtual Result<int64_t> Pin(Context& ctx, const model::CollectionName& collection,
                              const std::string& name, int64_t ttl_s) = 0;
  /// Unknown ids succeed.
  virtual Status Unpin(Context& ctx, int64_t pin) = 0;
};

}  // namespace elanus::roles
