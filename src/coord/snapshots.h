// Keeps snapshots of collections: which files one consists of, that nothing removes them, and
// restores into new collections.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/option_spec.h"
#include "coord/catalog.h"
#include "roles/snapshots.h"
#include "roles/streaming.h"
#include "store/meta_store.h"
#include "store/object_store.h"

namespace elanus::coord {

struct SnapshotOptions {
  int64_t protection_s_max = 604800;
  int64_t restores_max = 64;
  int64_t pin_s_max = 2592000;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(protection_s_max,
          OptionSpec{"dataCoord.snapshot.maxCompactionProtectionSeconds", "seconds", 0, 1e9,
                     "How long a snapshot may keep its segments from being compacted."});
    visit(restores_max, OptionSpec{"dataCoord.snapshot.restoreQueueMax", "", 1, 1e6,
                                   "Restores that may wait, and those that are over and known."});
    visit(pin_s_max, OptionSpec{"dataCoord.snapshot.maxPinSeconds", "seconds", 0, 1e9,
                                "How long a pin may keep a snapshot from being dropped."});
  }
};

struct SnapshotParts {
  Executor& executor;
  Clock& clock;
  store::MetaStore& meta;
  store::ObjectStore& objects;
  Catalog& catalog;
  roles::Oracle& oracle;
  roles::Streaming& streaming;
  /// Writes the files of a segment once more under the ids of the second, which it completes.
  std::function<Status(Context&, const model::SegmentInfo&, model::SegmentInfo&)> copy_segment;
  std::function<void(CollectionId)> on_restored;
};

/// Thread-safe. The parts must outlive it.
class Snapshots final : public roles::Snapshots {
 public:
  /// Reads what there is.
  static Result<std::unique_ptr<Snapshots>> Open(Context& ctx, SnapshotParts parts,
                                                 const SnapshotOptions& options);
  /// Cancels the restore that runs and joins; what it has copied is garbage.
  ~Snapshots() override;

  Status Create(Context& ctx, const model::CreateSnapshotRequest& request) override;
  Status Drop(Context& ctx, const model::CollectionName& collection,
              const std::string& name) override;
  Result<std::vector<std::string>> List(Context& ctx,
                                        const model::CollectionName& collection) override;
  Result<model::SnapshotInfo> Describe(Context& ctx, const model::CollectionName& collection,
                                       const std::string& name) override;
  Result<int64_t> Restore(Context& ctx, const model::CollectionName& collection,
                          const std::string& name, const model::CollectionName& target) override;
  std::vector<model::RestoreJob> RestoreJobs(int64_t id, const std::string& target) override;
  Result<int64_t> Pin(Context& ctx, const model::CollectionName& collection,
                      const std::string& name, int64_t ttl_s) override;
  Status Unpin(Context& ctx, int64_t pin) override;

  /// Forgets the snapshots of dropped collections that nothing pins, then tells the beginnings of
  /// the keys that must stay: of snapshots, of those being made, and of what restores write.
  std::vector<std::string> KeysInUse();
  /// A snapshot keeps this segment from being compacted.
  bool IsProtected(SegmentId segment) const;

 private:
  struct Impl;
  explicit Snapshots(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::coord
