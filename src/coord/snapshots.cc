// Snapshots and restores.
//
// Invariants: (1) a key is told as in use from before its segment is read from the catalog until
// its snapshot is gone, so the garbage collector, which asks before it removes, never takes it;
// (2) a snapshot is in memory only when the metadata store has it; (3) a restored collection
// becomes visible in one transaction, after all its files.
#include "coord/snapshots.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>

#include "base/fields.h"
#include "base/log.h"
#include "store/formats/delta_log.h"
#include "store/open_checked.h"

namespace elanus::coord {
namespace {

using model::RestoreState;
using model::SnapshotInfo;

std::string MetaKey(CollectionId collection, std::string_view name) {
  return fmt::format("snapshot/{}/{}", collection.value(), name);
}

Status NotFound(std::string_view name) {
  return Error(roles::kSnapshotNotFound, "{}[snapshot={}]", InfoOf(roles::kSnapshotNotFound).name,
               name);
}

struct Restoring {
  model::RestoreJob job;
  std::shared_ptr<const SnapshotInfo> snapshot;
  CollectionId collection;  // The new one, once it has an id.
};

}  // namespace

struct Snapshots::Impl {
  using Key = std::pair<CollectionId, std::string>;

  SnapshotParts parts;
  const SnapshotOptions options;
  Context ctx;  // Of the restores; cancelled at the end.

  std::unique_ptr<Monitor> monitor;  // Guards the members below.
  std::map<Key, std::shared_ptr<const SnapshotInfo>> all;
  std::set<CollectionId> being_changed;             // Their snapshots, see Change.
  std::deque<std::shared_ptr<Restoring>> restores;  // The oldest first.
  bool stopping = false;
  std::unique_ptr<Worker> worker;

  Impl(SnapshotParts p, const SnapshotOptions& o)
      : parts(std::move(p)), options(o), ctx(parts.clock), monitor(parts.executor.MakeMonitor()) {}

  // One at a time changes the snapshots of a collection: else two of one name would both be made,
  // one of two pins would be lost, and a pin would bring back what was dropped meanwhile.
  class Change {
   public:
    Change(Impl& snapshots, CollectionId collection)
        : snapshots_(snapshots), collection_(collection) {
      std::lock_guard<Monitor> lock(*snapshots_.monitor);
      while (!snapshots_.being_changed.insert(collection_).second) snapshots_.monitor->Wait();
    }
    ~Change() {
      std::lock_guard<Monitor> lock(*snapshots_.monitor);
      snapshots_.being_changed.erase(collection_);
      snapshots_.monitor->NotifyAll();
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    Impl& snapshots_;
    const CollectionId collection_;
  };

  Result<std::shared_ptr<const SnapshotInfo>> Find(CollectionId collection,
                                                   const std::string& name) {
    std::lock_guard<Monitor> lock(*monitor);
    const auto found = all.find({collection, name});
    if (found == all.end()) return NotFound(name);
    return found->second;
  }
  Result<std::shared_ptr<const SnapshotInfo>> Find(Context& call_ctx,
                                                   const model::CollectionName& collection,
                                                   const std::string& name) {
    TRY_ASSIGN(const auto info, parts.catalog.Find(call_ctx, collection));
    return Find(info->id, name);
  }

  bool IsPinnedLocked(const SnapshotInfo& snapshot) const {
    const int64_t now_ms = parts.clock.NowMs();
    const bool is_restored = std::any_of(restores.begin(), restores.end(), [&](const auto& one) {
      const bool is_over =
          one->job.state == RestoreState::kCompleted || one->job.state == RestoreState::kFailed;
      return !is_over && one->snapshot->collection.id == snapshot.collection.id &&
             one->snapshot->name == snapshot.name;
    });
    return is_restored ||
           std::any_of(snapshot.pins.begin(), snapshot.pins.end(),
                       [&](const auto& pin) { return pin.until_ms == 0 || pin.until_ms > now_ms; });
  }

  Status Store(Context& call_ctx, SnapshotInfo snapshot) {
    store::MetaTxn txn;
    txn.puts.emplace_back(MetaKey(snapshot.collection.id, snapshot.name), Encode(snapshot));
    TRY(parts.meta.Commit(call_ctx, txn).status());
    std::lock_guard<Monitor> lock(*monitor);
    const Key key{snapshot.collection.id, snapshot.name};
    all[key] = std::make_shared<const SnapshotInfo>(std::move(snapshot));
    return {};
  }

  Status Remove(Context& call_ctx, const SnapshotInfo& snapshot) {
    store::MetaTxn txn;
    txn.deletes.push_back(MetaKey(snapshot.collection.id, snapshot.name));
    TRY(parts.meta.Commit(call_ctx, txn).status());
    std::lock_guard<Monitor> lock(*monitor);
    all.erase({snapshot.collection.id, snapshot.name});
    return {};
  }

  Status Take(Context& call_ctx, const model::CreateSnapshotRequest& request,
              CollectionId collection);
  void Loop();
  Status RunRestore(Restoring& restoring);
  Status CopyFiles(Restoring& restoring, Catalog::Restored& restored);
  Status CopyDeltas(const SnapshotInfo& snapshot, Catalog::Restored& restored,
                    const std::map<PartitionId, PartitionId>& partitions);
};

Snapshots::Snapshots(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Snapshots>> Snapshots::Open(Context& ctx, SnapshotParts parts,
                                                   const SnapshotOptions& options) {
  auto impl = std::make_unique<Impl>(std::move(parts), options);
  TRY_ASSIGN(const auto pairs, impl->parts.meta.Scan(ctx, "snapshot/"));
  for (const auto& [key, value] : pairs) {
    TRY_ASSIGN(auto snapshot, Decode<SnapshotInfo>(value));
    const Impl::Key place{snapshot.collection.id, snapshot.name};
    impl->all[place] = std::make_shared<const SnapshotInfo>(std::move(snapshot));
  }
  impl->worker = impl->parts.executor.Spawn("restore", [i = impl.get()] { i->Loop(); });
  return std::unique_ptr<Snapshots>(new Snapshots(std::move(impl)));
}

Snapshots::~Snapshots() {
  impl_->ctx.Cancel();
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->stopping = true;
    impl_->monitor->NotifyAll();
  }
  impl_->worker.reset();
}

Status Snapshots::Impl::Take(Context& call_ctx, const model::CreateSnapshotRequest& request,
                             CollectionId collection) {
  // All of one moment: else a partition or a field could be missing that a segment has.
  TRY_ASSIGN(Catalog::CollectionFiles files, parts.catalog.ListCollection(call_ctx, collection));
  SnapshotInfo snapshot{.name = request.name,
                        .description = request.description,
                        .collection = *files.info,
                        .moment = kTimestampMax,
                        .pins = {}};
  if (request.protection_s > 0) {
    snapshot.protected_until_ms = parts.clock.NowMs() + request.protection_s * 1000;
  }
  for (model::ShardFiles& shard : files.shards) {
    std::move(shard.segments.begin(), shard.segments.end(), std::back_inserter(snapshot.segments));
    std::move(shard.deltas.begin(), shard.deltas.end(), std::back_inserter(snapshot.deltas));
    // A shard that has flushed nothing is as it was made.
    const Timestamp moment = std::max(shard.checkpoint.timestamp, files.info->created);
    snapshot.moment = std::min(snapshot.moment, moment);
  }
  return Store(call_ctx, std::move(snapshot));
}

Status Snapshots::Create(Context& ctx, const model::CreateSnapshotRequest& request) {
  Impl& s = *impl_;
  if (request.protection_s < 0 || request.protection_s > s.options.protection_s_max) {
    return Invalid("compaction_protection_seconds should be in range [0, {}], got {}",
                   s.options.protection_s_max, request.protection_s);
  }
  TRY_ASSIGN(const auto info, s.parts.catalog.Find(ctx, request.collection));
  const Impl::Change change(s, info->id);
  if (s.Find(info->id, request.name).ok()) {
    return Invalid("snapshot {} already exists in collection {}", request.name, info->schema.name);
  }
  return s.Take(ctx, request, info->id);
}

Status Snapshots::Drop(Context& ctx, const model::CollectionName& collection,
                       const std::string& name) {
  TRY_ASSIGN(const auto info, impl_->parts.catalog.Find(ctx, collection));
  const Impl::Change change(*impl_, info->id);
  const auto found = impl_->Find(info->id, name);
  if (!found.ok()) return {};
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    if (impl_->IsPinnedLocked(**found)) {
      return Error(roles::kSnapshotPinned, "{}[snapshot={}]", InfoOf(roles::kSnapshotPinned).name,
                   name);
    }
  }
  return impl_->Remove(ctx, **found);
}

Result<std::vector<std::string>> Snapshots::List(Context& ctx,
                                                 const model::CollectionName& collection) {
  std::set<CollectionId> asked;
  if (!collection.collection.empty()) {
    TRY_ASSIGN(const auto info, impl_->parts.catalog.Find(ctx, collection));
    asked.insert(info->id);
  } else {
    TRY_ASSIGN(const auto all, impl_->parts.catalog.List(ctx, collection.database));
    for (const auto& info : all) asked.insert(info->id);
  }
  std::vector<std::string> names;
  std::lock_guard<Monitor> lock(*impl_->monitor);
  for (const auto& [key, snapshot] : impl_->all) {
    if (asked.contains(key.first)) names.push_back(key.second);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<SnapshotInfo> Snapshots::Describe(Context& ctx, const model::CollectionName& collection,
                                         const std::string& name) {
  TRY_ASSIGN(const auto snapshot, impl_->Find(ctx, collection, name));
  SnapshotInfo told = *snapshot;
  TRY_ASSIGN(const auto info, impl_->parts.catalog.Find(ctx, collection));
  told.collection.schema.name = info->schema.name;  // It may have been renamed.
  return told;
}

Result<int64_t> Snapshots::Pin(Context& ctx, const model::CollectionName& collection,
                               const std::string& name, int64_t ttl_s) {
  if (ttl_s < 0 || ttl_s > impl_->options.pin_s_max) {
    return Invalid("ttl_seconds should be in range [0, {}], got {}", impl_->options.pin_s_max,
                   ttl_s);
  }
  TRY_ASSIGN(const auto info, impl_->parts.catalog.Find(ctx, collection));
  const Impl::Change change(*impl_, info->id);
  TRY_ASSIGN(const auto snapshot, impl_->Find(info->id, name));
  TRY_ASSIGN(const int64_t id, impl_->parts.oracle.AllocateIds(ctx, 1));
  const int64_t now_ms = impl_->parts.clock.NowMs();
  SnapshotInfo next = *snapshot;
  std::erase_if(next.pins,
                [&](const auto& pin) { return pin.until_ms != 0 && pin.until_ms <= now_ms; });
  next.pins.push_back({.id = id, .until_ms = ttl_s == 0 ? 0 : now_ms + ttl_s * 1000});
  TRY(impl_->Store(ctx, std::move(next)));
  return id;
}

Status Snapshots::Unpin(Context& ctx, int64_t pin) {
  std::shared_ptr<const SnapshotInfo> pinned;
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    for (const auto& [key, snapshot] : impl_->all) {
      const auto& pins = snapshot->pins;
      if (std::any_of(pins.begin(), pins.end(), [&](const auto& p) { return p.id == pin; })) {
        pinned = snapshot;
      }
    }
  }
  if (pinned == nullptr) return {};
  const Impl::Change change(*impl_, pinned->collection.id);
  const auto newest = impl_->Find(pinned->collection.id, pinned->name);
  if (!newest.ok()) return {};
  SnapshotInfo next = **newest;
  std::erase_if(next.pins, [&](const auto& p) { return p.id == pin; });
  return impl_->Store(ctx, std::move(next));
}

std::vector<std::string> Snapshots::KeysInUse() {
  Impl& s = *impl_;
  std::vector<std::shared_ptr<const SnapshotInfo>> orphans;
  std::vector<std::string> keys;
  const auto add_all = [&](CollectionId collection) {
    for (const char* kind : {"segments", "indexes", "deltas"}) {
      keys.push_back(fmt::format("{}/{}/", kind, collection.value()));
    }
  };
  {
    std::lock_guard<Monitor> lock(*s.monitor);
    for (const auto& [key, snapshot] : s.all) {
      if (!s.parts.catalog.Find(s.ctx, key.first).ok() && !s.IsPinnedLocked(*snapshot)) {
        orphans.push_back(snapshot);
        continue;
      }
      const int64_t collection = key.first.value();
      for (const model::SegmentInfo& segment : snapshot->segments) {
        keys.push_back(fmt::format("segments/{}/{}/", collection, segment.id.value()));
        for (const auto& index : segment.indexes) {
          if (!index.key.empty()) keys.push_back(index.key);
        }
      }
      for (const model::DeltaInfo& delta : snapshot->deltas) keys.push_back(delta.key);
    }
    for (CollectionId collection : s.being_changed) add_all(collection);
    for (const auto& restoring : s.restores) {
      if (restoring->job.state == RestoreState::kExecuting) add_all(restoring->collection);
    }
  }
  for (const auto& orphan : orphans) {
    if (!s.Remove(s.ctx, *orphan).ok()) LogWarn("a snapshot of a dropped collection stays");
  }
  return keys;
}

bool Snapshots::IsProtected(SegmentId segment) const {
  const int64_t now_ms = impl_->parts.clock.NowMs();
  std::lock_guard<Monitor> lock(*impl_->monitor);
  for (const auto& [key, snapshot] : impl_->all) {
    if (snapshot->protected_until_ms <= now_ms) continue;
    for (const model::SegmentInfo& held : snapshot->segments) {
      if (held.id == segment) return true;
    }
  }
  return false;
}

Result<int64_t> Snapshots::Restore(Context& ctx, const model::CollectionName& collection,
                                   const std::string& name, const model::CollectionName& target) {
  Impl& s = *impl_;
  TRY_ASSIGN(const auto source, s.parts.catalog.Find(ctx, collection));
  // So that it is not dropped between being found and being held by the job.
  const Impl::Change change(s, source->id);
  TRY_ASSIGN(const auto snapshot, s.Find(source->id, name));
  const auto existing = s.parts.catalog.Find(ctx, target);
  if (existing.ok()) {
    return Invalid("the collection to restore into exists already: {}", target.collection);
  }
  if (existing.status().code() != ErrorCode::kCollectionNotFound) return existing.status();
  TRY_ASSIGN(const int64_t id, s.parts.oracle.AllocateIds(ctx, 1));
  auto restoring = std::make_shared<Restoring>();
  restoring->snapshot = snapshot;
  restoring->job = {
      .id = id,
      .snapshot = name,
      .database = target.database.empty() ? std::string(model::kDefaultDatabase) : target.database,
      .target = target.collection,
      .started_ms = s.parts.clock.NowMs()};
  std::lock_guard<Monitor> lock(*s.monitor);
  if (s.restores.size() >= static_cast<size_t>(s.options.restores_max)) {
    const RestoreState oldest = s.restores.front()->job.state;
    if (oldest == RestoreState::kPending || oldest == RestoreState::kExecuting) {
      return Status(ErrorCode::kTooManyRequests, "too many restores wait");
    }
    s.restores.pop_front();
  }
  s.restores.push_back(std::move(restoring));
  s.monitor->NotifyAll();
  return id;
}

std::vector<model::RestoreJob> Snapshots::RestoreJobs(int64_t id, const std::string& target) {
  std::vector<model::RestoreJob> jobs;
  std::lock_guard<Monitor> lock(*impl_->monitor);
  for (const auto& restoring : impl_->restores) {
    const model::RestoreJob& job = restoring->job;
    if ((id == 0 || job.id == id) && (target.empty() || job.target == target)) jobs.push_back(job);
  }
  return jobs;
}

void Snapshots::Impl::Loop() {
  while (true) {
    std::shared_ptr<Restoring> next;
    {
      std::lock_guard<Monitor> lock(*monitor);
      while (!stopping && next == nullptr) {
        for (const auto& restoring : restores) {
          if (next == nullptr && restoring->job.state == RestoreState::kPending) next = restoring;
        }
        if (next == nullptr) monitor->Wait();
      }
      if (stopping) return;
    }
    const Status status = RunRestore(*next);
    if (!status.ok()) {
      LogWarn("restore failed snapshot={} target={} error=\"{}\"", next->job.snapshot,
              next->job.target, status.ToString());
    }
    std::lock_guard<Monitor> lock(*monitor);
    next->job.state = status.ok() ? RestoreState::kCompleted : RestoreState::kFailed;
    if (status.ok()) next->job.progress = 100;
    next->job.reason = status.ok() ? "" : status.ToString();
    next->job.cost_ms = parts.clock.NowMs() - next->job.started_ms;
  }
}

Status Snapshots::Impl::RunRestore(Restoring& restoring) {
  const SnapshotInfo& snapshot = *restoring.snapshot;
  Catalog::Restored restored;
  model::CollectionInfo& info = restored.info;
  info = snapshot.collection;
  const auto ids = static_cast<int64_t>(1 + info.partitions.size() + info.indexes.size() +
                                        snapshot.segments.size());
  TRY_ASSIGN(int64_t id, parts.oracle.AllocateIds(ctx, ids));
  TRY_ASSIGN(info.created, parts.oracle.Now(ctx));
  info.id = CollectionId(id++);
  {
    std::lock_guard<Monitor> lock(*monitor);
    restoring.collection = info.id;
    restoring.job.state = RestoreState::kExecuting;
  }
  info.updated = info.created;
  info.schema.name = restoring.job.target;
  info.loaded = false;
  info.loaded_partitions.clear();
  info.vchannels = parts.catalog.NewChannels(info.id, info.vchannels.size());
  std::map<PartitionId, PartitionId> partitions;
  for (model::PartitionInfo& partition : info.partitions) {
    const PartitionId old = partition.id;
    partition.id = partitions[old] = PartitionId(id++);
  }
  std::map<IndexId, IndexId> indexes;
  for (model::IndexInfo& index : info.indexes) {
    const IndexId old = index.id;
    index.id = indexes[old] = IndexId(id++);
  }
  for (const model::SegmentInfo& segment : snapshot.segments) {
    const auto& old_channels = snapshot.collection.vchannels;
    const auto channel = std::find(old_channels.begin(), old_channels.end(), segment.vchannel);
    model::SegmentInfo copy = segment;
    copy.id = SegmentId(id++);
    copy.collection = info.id;
    copy.partition = partitions[segment.partition];
    copy.vchannel = info.vchannels[static_cast<size_t>(channel - old_channels.begin())];
    for (model::SegmentIndexInfo& built : copy.indexes) {
      built.index = indexes[built.index];
      if (!built.key.empty()) {
        built.key =
            fmt::format("indexes/{}/{}/{}", info.id.value(), copy.id.value(), built.index.value());
      }
    }
    restored.segments.push_back(std::move(copy));
  }
  TRY(CopyFiles(restoring, restored));
  TRY(CopyDeltas(snapshot, restored, partitions));
  const CollectionId collection = info.id;
  TRY(parts.catalog.CreateRestored(ctx, std::move(restored)));
  TRY(parts.streaming.OpenChannels(ctx, collection));
  parts.on_restored(collection);
  return {};
}

Status Snapshots::Impl::CopyFiles(Restoring& restoring, Catalog::Restored& restored) {
  const std::vector<model::SegmentInfo>& from = restoring.snapshot->segments;
  for (size_t i = 0; i < from.size(); ++i) {
    TRY(ctx.CheckAlive());
    model::SegmentInfo& to = restored.segments[i];
    TRY(parts.copy_segment(ctx, from[i], to));
    for (size_t k = 0; k < to.indexes.size(); ++k) {
      if (to.indexes[k].key.empty()) continue;
      TRY_ASSIGN(const Blob blob, parts.objects.Open(ctx, from[i].indexes[k].key));
      TRY(parts.objects.Put(ctx, to.indexes[k].key, blob.bytes()));
    }
    std::lock_guard<Monitor> lock(*monitor);
    restoring.job.progress = static_cast<int32_t>(99 * (i + 1) / from.size());
  }
  return {};
}

// Delta logs name partitions by their ids, so they are written anew.
Status Snapshots::Impl::CopyDeltas(const SnapshotInfo& snapshot, Catalog::Restored& restored,
                                   const std::map<PartitionId, PartitionId>& partitions) {
  const auto& old_channels = snapshot.collection.vchannels;
  for (const model::DeltaInfo& delta : snapshot.deltas) {
    TRY_ASSIGN(model::Deletes deletes,
               store::OpenChecked(ctx, parts.objects, delta.key, [&](const Blob& blob) {
                 return store::DecodeDeltaLog(blob.bytes(), delta.key);
               }));
    for (PartitionId& partition : deletes.partitions) {
      // Of a partition dropped since: it reaches no row.
      const auto found = partitions.find(partition);
      if (found != partitions.end()) partition = found->second;
    }
    const auto channel = std::find(old_channels.begin(), old_channels.end(), delta.vchannel);
    model::DeltaInfo copy = delta;
    copy.collection = restored.info.id;
    copy.vchannel = restored.info.vchannels[static_cast<size_t>(channel - old_channels.begin())];
    copy.key = fmt::format("deltas/{}/{}/{}", copy.collection.value(), copy.vchannel,
                           delta.key.substr(delta.key.rfind('/') + 1));
    TRY(parts.objects.Put(ctx, copy.key, store::EncodeDeltaLog(deletes)));
    restored.deltas.push_back(std::move(copy));
  }
  return {};
}

}  // namespace elanus::coord
