// Snapshots of collections and restores from them.
#include "proxy/checks.h"
#include "proxy/ops.h"

namespace elanus::proxy {
namespace {

Result<roles::Snapshots*> SnapshotsOf(const Services& services) {
  if (services.snapshots != nullptr) return services.snapshots;
  return Status(ErrorCode::kUnimplemented, "this server keeps no snapshots");
}

Status CheckCollection(const model::CollectionName& name) {
  if (!name.collection.empty()) return {};
  return Error(ErrorCode::kMissingParameter, "collection_name is required");
}

}  // namespace

Status CreateSnapshot(Context& ctx, Services& services, model::CreateSnapshotRequest request) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  TRY_ASSIGN(request.name, SnapshotNamed(services.options, request.name));
  TRY(CheckCollection(request.collection));
  return snapshots->Create(ctx, request);
}

Status DropSnapshot(Context& ctx, Services& services, const model::CollectionName& collection,
                    const std::string& name) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  TRY_ASSIGN(const std::string named, SnapshotNamed(services.options, name));
  TRY(CheckCollection(collection));
  return snapshots->Drop(ctx, collection, named);
}

Result<std::vector<std::string>> ListSnapshots(Context& ctx, Services& services,
                                               const model::CollectionName& collection) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  return snapshots->List(ctx, collection);
}

Result<model::SnapshotInfo> DescribeSnapshot(Context& ctx, Services& services,
                                             const model::CollectionName& collection,
                                             const std::string& name) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  TRY(CheckCollection(collection));
  return snapshots->Describe(ctx, collection, std::string(WithoutBlanks(name)));
}

Result<int64_t> RestoreSnapshot(Context& ctx, Services& services,
                                const model::CollectionName& collection, const std::string& name,
                                const model::CollectionName& target) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  TRY(CheckCollection(collection));
  TRY(CheckName(services.options, "collection name", target.collection));
  return snapshots->Restore(ctx, collection, std::string(WithoutBlanks(name)), target);
}

Result<model::RestoreJob> GetRestoreJob(Services& services, int64_t id) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  const std::vector<model::RestoreJob> jobs =
      id == 0 ? std::vector<model::RestoreJob>() : snapshots->RestoreJobs(id, "");
  if (!jobs.empty()) return jobs[0];
  return Error(roles::kRestoreJobNotFound, "restore job not found[job={}]", id);
}

Result<std::vector<model::RestoreJob>> ListRestoreJobs(Context& ctx, Services& services,
                                                       const model::CollectionName& target) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  TRY(services.coord.catalog.List(ctx, target.database).status());  // Is there such a database?
  return snapshots->RestoreJobs(0, target.collection);
}

Result<int64_t> PinSnapshot(Context& ctx, Services& services,
                            const model::CollectionName& collection, const std::string& name,
                            int64_t ttl_s) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  TRY(CheckCollection(collection));
  return snapshots->Pin(ctx, collection, std::string(WithoutBlanks(name)), ttl_s);
}

Status UnpinSnapshot(Context& ctx, Services& services, int64_t pin) {
  TRY_ASSIGN(roles::Snapshots * snapshots, SnapshotsOf(services));
  if (pin == 0) return Error(ErrorCode::kMissingParameter, "pin_id is required");
  return snapshots->Unpin(ctx, pin);
}

}  // namespace elanus::proxy
