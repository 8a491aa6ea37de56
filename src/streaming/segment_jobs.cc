// What the node does with segments in the background: flushes and loads, one after another.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "model/channel.h"
#include "model/partition_key.h"
#include "streaming/node_impl.h"
#include "streaming/seal_rule.h"

namespace elanus::streaming {
namespace {

constexpr int64_t kTickMs = 1000;

std::vector<SegmentId> Without(const std::vector<SegmentId>& ids,
                               const std::vector<SegmentId>& others) {
  std::vector<SegmentId> left;
  for (SegmentId id : ids) {
    if (std::find(others.begin(), others.end(), id) == others.end()) left.push_back(id);
  }
  return left;
}

}  // namespace

bool SameLoad(const model::CollectionInfo& a, const model::CollectionInfo& b) {
  return a.loaded == b.loaded && a.loaded_partitions == b.loaded_partitions;
}

void Node::Impl::SetAside(Job failed) {
  const auto behind = std::stable_partition(jobs.begin(), jobs.end(), [&](const Job& waiting) {
    return waiting.flush == nullptr || waiting.shard != failed.shard;
  });
  failed_flushes.push_back(std::move(failed));
  std::move(behind, jobs.end(), std::back_inserter(failed_flushes));
  jobs.erase(behind, jobs.end());
}

Result<std::vector<SegmentId>> Node::Impl::SealShard(const std::shared_ptr<shard::Shard>& shard) {
  std::vector<SegmentId> sealed;
  TRY(OwnerOf(shard->vchannel()).Run([&](Context& run_ctx) -> Status {
    TRY_ASSIGN(const Timestamp now, parts.coord.oracle.Now(run_ctx));
    auto work = shard->Seal(now);
    if (work == nullptr) return {};
    for (const auto& growing : work->segments) sealed.push_back(growing->id());
    // Queued on the worker, so that the queue has the order of the seals.
    PushFlush({.collection = shard->collection(),
               .shard = shard,
               .flush = std::move(work),
               .truncations = shard->Read()->truncations});
    return {};
  }));
  return sealed;
}

void Node::Impl::JobLoop() {
  while (true) {
    Job job;
    {
      std::lock_guard<Monitor> lock(*monitor);
      while (jobs.empty() && !stopping) monitor->Wait();
      if (stopping) return;
      job = std::move(jobs.front());
      jobs.pop_front();
      if (job.changes_load) changing = job.collection;
    }
    Status status = job.flush != nullptr ? Flush(job) : Load(job.collection);
    const bool gone = status.code() == ErrorCode::kCollectionNotFound;
    if (!status.ok() && !gone && status.code() != ErrorCode::kCanceled) {
      LogError("{} failed, it will be tried again collection={} error=\"{}\"",
               job.flush != nullptr ? "flush" : "load", job.collection.value(), status.ToString());
    }
    std::lock_guard<Monitor> lock(*monitor);
    changing = CollectionId();
    if (job.flush == nullptr) {
      if (!status.ok() && !gone) {
        LoadFailure& failure = load_failures[job.collection];
        failure = {.status = std::move(status), .tries = failure.tries + 1};
        failed_loads.push_back(std::move(job));
      } else {
        load_failures.erase(job.collection);
      }
    } else if (status.ok() || gone) {
      flushing_bytes -= job.flush->bytes;
    } else {
      SetAside(std::move(job));
    }
  }
}

void Node::Impl::TickLoop() {
  while (true) {
    std::vector<std::shared_ptr<shard::Shard>> all;
    {
      std::lock_guard<Monitor> lock(*monitor);
      if (!stopping) monitor->WaitFor(kTickMs);
      if (stopping) return;
      for (const auto& [vchannel, shard] : shards) all.push_back(shard);
      // All at once: a new flush must not come between them.
      std::move(failed_flushes.begin(), failed_flushes.end(), std::back_inserter(jobs));
      if (!failed_flushes.empty()) monitor->NotifyAll();
      failed_flushes.clear();
      for (Job& job : std::exchange(failed_loads, {})) PushLoadLocked(std::move(job));
    }
    pages.DropIdle(ctx);
    SealWhatIsDue(all);
  }
}

void Node::Impl::SealWhatIsDue(std::span<const std::shared_ptr<shard::Shard>> all) {
  std::vector<size_t> bytes;
  std::vector<bool> is_due;
  for (const auto& shard : all) {
    is_due.push_back(SealIsDue(*shard, options, parts.clock.NowMs()));
    bytes.push_back(is_due.back() ? 0 : shard->growing_bytes());
  }
  const auto bytes_max = static_cast<size_t>(options.growing_mb_max) << 20;
  for (const size_t largest : SealedForRoom(bytes, bytes_max)) is_due[largest] = true;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!is_due[i]) continue;
    const auto sealed = SealShard(all[i]);
    if (!sealed.ok()) LogWarn("sealing failed error=\"{}\"", sealed.status().ToString());
  }
}

// Rows deleted up to this moment are not written. Later deletes hide them from some readers only.
// Whoever begins to read from now on does so at a moment behind the seal: at least that of the
// newest record.
Timestamp Node::Impl::DeletedUntil(const Job& job) {
  const int64_t now_ms = parts.clock.NowMs();
  const Timestamp until =
      std::min(job.flush->checkpoint_ts, open_reads.Oldest(job.collection, now_ms));
  if (options.retention_s == 0) return until;
  return std::min(until, MakeTimestamp(now_ms - options.retention_s * 1000));
}

Result<model::FlushCommit> Node::Impl::WriteFiles(const Job& job) {
  model::FlushCommit commit{.vchannel = job.shard->vchannel(),
                            .collection = job.collection,
                            .checkpoint = job.flush->checkpoint,
                            .checkpoint_ts = job.flush->checkpoint_ts};
  const Timestamp deleted_until = DeletedUntil(job);
  for (const auto& growing : job.flush->segments) {
    roles::FlushTask task{.segment = growing->id(),
                          .collection = job.collection,
                          .partition = growing->partition(),
                          .vchannel = commit.vchannel};
    growing->Export(task.columns, task.row_timestamps, deleted_until);
    const std::shared_ptr<const model::CollectionInfo> collection = job.shard->Read()->collection;
    task.primary_key = collection->schema.primary_key().id;
    task.sort_by = task.primary_key;  // Reads by key and deletes then skip most of its blocks.
    if (const auto* key = model::IsolatedKey(*collection)) task.sort_by = key->id;
    if (task.row_timestamps.empty()) continue;  // Every row was deleted before it was flushed.
    TRY_ASSIGN(model::SegmentInfo segment, parts.data.Flush(ctx, task));
    // The export has left out what older deletes hide.
    segment.deletes_applied = deleted_until;
    segment.deletes_counted = segment.deletes_applied;
    commit.segments.push_back(std::move(segment));
  }
  if (job.flush->deletes.keys.rows > 0) {
    TRY_ASSIGN(model::DeltaInfo delta,
               parts.data.FlushDeletes(ctx, job.collection, commit.vchannel, job.flush->deletes));
    commit.deltas.push_back(std::move(delta));
  }
  return commit;
}

Status Node::Impl::Flush(Job& job) {
  if (job.shard->Read()->truncations != job.truncations)
    return {};  // Nobody has its rows any more.
  // Once only: the next try would write fewer rows if some were deleted meanwhile, over files that
  // may be official already.
  if (!job.written) {
    TRY_ASSIGN(job.written, WriteFiles(job));
  }
  const model::FlushCommit& commit = *job.written;
  TRY(parts.coord.segments.CommitFlush(ctx, commit));
  TRY(ShowFlushed(job));
  int64_t rows = 0;
  for (const auto& segment : commit.segments) rows += segment.rows;
  LogInfo("flushed vchannel={} segments={} rows={} deletes={} checkpoint={}", commit.vchannel,
          commit.segments.size(), rows, job.flush->deletes.keys.rows, commit.checkpoint);
  TruncateLog(model::PChannelOf(commit.vchannel));
  if (on_flushed) on_flushed(job.collection);
  return {};
}

Status Node::Impl::ShowFlushed(const Job& job) {
  // Of the shard's own moment: a load that wants more, or less, has a job behind this one.
  const auto before = job.shard->Read();
  std::vector<SegmentId> written;
  for (const auto& growing : job.flush->segments) written.push_back(growing->id());
  return Show(*job.shard, before->readable ? before->collection.get() : nullptr,
              [&](Context& run_ctx, std::vector<SegmentId>& wanted) -> Status {
                TRY(parts.coord.catalog.Find(run_ctx, job.collection).status());
                TRY(job.shard->Swap(run_ctx, wanted, written, before->readable));
                job.shard->FinishFlush(*job.flush);
                return {};
              });
}

Status Node::Impl::Load(CollectionId collection) {
  TRY_ASSIGN(const auto info, parts.coord.catalog.Find(ctx, collection));
  for (const auto& shard : ShardsOf(collection)) TRY(LoadShard(info, *shard));
  return {};
}

Status Node::Impl::LoadShard(const roles::CollectionSnapshot& info, shard::Shard& shard) {
  return Show(shard, info.get(), [&](Context& run_ctx, std::vector<SegmentId>& wanted) -> Status {
    // Read here, it knows every partition that has rows in the shard and was not
    // dropped.
    TRY_ASSIGN(const auto now, parts.coord.catalog.Find(run_ctx, info->id));
    // Whoever changed what is to be loaded has a job of their own behind this one.
    if (!SameLoad(*now, *info)) {
      wanted = shard.Read()->loaded;
      return {};
    }
    TRY(parts.query.SetSchema(run_ctx, now->id, now->schema));
    shard.SetCollection(now);
    return shard.Swap(run_ctx, wanted, {}, now->loaded);
  });
}

// Opens the official segments of a shard that `info` wants (null: none), lets `swap` show them on
// the channel's worker, and releases what is not shown. `swap` leaves in its list what it shows.
// Segments, deletes and checkpoint are of one moment: a compaction may change all of them.
Status Node::Impl::Show(shard::Shard& shard, const model::CollectionInfo* info,
                        const std::function<Status(Context&, std::vector<SegmentId>&)>& swap) {
  const uint64_t truncations = shard.Read()->truncations;
  TRY_ASSIGN(const model::ShardFiles files, parts.coord.segments.ListShard(ctx, shard.vchannel()));
  std::vector<model::SegmentInfo> to_open;
  std::map<SegmentId, PartitionId> opened;
  for (const auto& segment : files.segments) {
    if (info == nullptr || !info->IsLoaded(segment.partition)) continue;
    to_open.push_back(segment);
    opened[segment.id] = segment.partition;
  }
  if (!to_open.empty()) TRY(parts.query.LoadSegments(ctx, to_open, *info, files.deltas));
  std::vector<SegmentId> unused;
  bool is_truncated = false;
  Status shown = OwnerOf(shard.vchannel()).Run([&](Context& run_ctx) -> Status {
    std::vector<SegmentId> held = shard.Read()->loaded;
    // Also those that a load which failed has left behind.
    for (const auto& segment : files.segments) held.push_back(segment.id);
    unused = Without(held, shard.Read()->loaded);
    is_truncated = shard.Read()->truncations != truncations;
    if (is_truncated) return {};
    TRY_ASSIGN(const auto now, parts.coord.catalog.Find(run_ctx, shard.collection()));
    // The shard may have come to know a schema that these were not opened with.
    TRY(parts.query.SetSchema(run_ctx, now->id, now->schema));
    std::vector<SegmentId> wanted;
    for (const auto& [id, partition] : opened) {
      if (now->HasPartition(partition)) wanted.push_back(id);
    }
    TRY(swap(run_ctx, wanted));
    unused = Without(held, wanted);
    return {};
  });
  for (SegmentId id : unused) TRY(parts.query.ReleaseSegment(ctx, id));
  // What was opened is what the catalog said before.
  return is_truncated ? Show(shard, info, swap) : shown;
}

void Node::Impl::TruncateLog(const std::string& pchannel) {
  std::vector<std::shared_ptr<shard::Shard>> on_stream;
  {
    std::lock_guard<Monitor> lock(*monitor);
    for (const auto& [name, shard] : shards) {
      if (model::PChannelOf(name) == pchannel) on_stream.push_back(shard);
    }
  }
  // On the worker nothing is between log and shard, so a shard without unflushed rows needs no
  // record.
  const Status status = OwnerOfStream(pchannel).Run([&](Context& run_ctx) -> Status {
    uint64_t newest = 0;
    uint64_t needed = UINT64_MAX;
    for (const auto& shard : on_stream) {
      newest = std::max(newest, shard->applied_position());
      if (shard->HasUnflushed()) needed = std::min(needed, shard->checkpoint().position);
    }
    return parts.wal.Truncate(run_ctx, pchannel, std::min(needed, newest));
  });
  if (!status.ok())
    LogWarn("cutting the log failed stream={} error=\"{}\"", pchannel, status.ToString());
}

}  // namespace elanus::streaming
