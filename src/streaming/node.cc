// A streaming node.
#include "streaming/node.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "model/channel.h"
#include "shard/read.h"
#include "shard/shard.h"
#include "streaming/channel_owner.h"
#include "streaming/seal_rule.h"

namespace elanus::streaming {
namespace {

constexpr int64_t kTickMs = 1000;

bool SameLoad(const model::CollectionInfo& a, const model::CollectionInfo& b) {
  return a.loaded == b.loaded && a.loaded_partitions == b.loaded_partitions;
}

// Readers see what `info` wants loaded.
bool Shows(const shard::State& state, const model::CollectionInfo& info) {
  return SameLoad(*state.collection, info) && state.readable == info.loaded;
}

std::vector<SegmentId> Without(const std::vector<SegmentId>& ids,
                               const std::vector<SegmentId>& others) {
  std::vector<SegmentId> left;
  for (SegmentId id : ids) {
    if (std::find(others.begin(), others.end(), id) == others.end()) left.push_back(id);
  }
  return left;
}

}  // namespace

struct Node::Impl {
  struct Job {
    CollectionId collection;
    std::shared_ptr<shard::Shard> shard;        // Of a flush.
    std::shared_ptr<shard::FlushWork> flush;    // Null: match what is loaded to the catalog.
    std::optional<model::FlushCommit> written;  // The files of the flush, once all are there.
    bool changes_load = false;  // What is wanted in memory has changed; else a new index, say.
  };

  NodeParts parts;
  StreamingOptions options;
  std::function<void(CollectionId)> on_flushed;
  Context ctx;                      // Of background work; cancelled at the end.
  segment::GrowingIndexer indexer;  // Outlives the shards.
  segment::PageStreams pages;       // Likewise.

  std::unique_ptr<Monitor> monitor;                             // Guards the members below.
  std::map<std::string, std::unique_ptr<ChannelOwner>> owners;  // By pchannel; only grows.
  std::map<std::string, std::shared_ptr<shard::Shard>, std::less<>> shards;  // By vchannel.
  std::deque<Job> jobs;
  CollectionId changing;            // Of the running job, when it changes_load.
  std::vector<Job> failed_loads;    // Tried again at the next tick.
  std::vector<Job> failed_flushes;  // And those behind them, each shard's in order.
  size_t flushing_bytes = 0;        // Of every seal whose flush has not ended well.
  bool stopping = false;

  std::unique_ptr<Worker> job_worker;
  std::unique_ptr<Worker> tick_worker;

  Impl(NodeParts p, const StreamingOptions& o)
      : parts(p),
        options(o),
        ctx(p.clock),
        indexer(p.executor, p.clock, o.growing_index),
        pages(o.pages),
        monitor(p.executor.MakeMonitor()) {}

  std::shared_ptr<shard::Shard> FindShard(std::string_view vchannel) {
    std::lock_guard<Monitor> lock(*monitor);
    const auto found = shards.find(vchannel);
    return found == shards.end() ? nullptr : found->second;
  }
  Result<std::shared_ptr<shard::Shard>> ShardOf(std::string_view vchannel) {
    auto shard = FindShard(vchannel);
    if (shard == nullptr) {
      return Error(ErrorCode::kChannelNotAvailable, "{}[channel={}]",
                   InfoOf(ErrorCode::kChannelNotAvailable).name, vchannel);
    }
    return shard;
  }
  std::vector<std::shared_ptr<shard::Shard>> ShardsOf(CollectionId collection) {
    std::lock_guard<Monitor> lock(*monitor);
    std::vector<std::shared_ptr<shard::Shard>> found;
    for (const auto& [vchannel, shard] : shards) {
      if (shard->collection() == collection) found.push_back(shard);
    }
    return found;
  }
  ChannelOwner& OwnerOf(std::string_view vchannel) {
    std::lock_guard<Monitor> lock(*monitor);
    std::unique_ptr<ChannelOwner>& owner = owners[model::PChannelOf(vchannel)];
    if (owner == nullptr) {
      owner =
          std::make_unique<ChannelOwner>(parts.executor, parts.clock, model::PChannelOf(vchannel),
                                         parts.wal, parts.coord.oracle, options);
      owner->Start();
    }
    return *owner;
  }
  void PushFlush(Job job) {
    std::lock_guard<Monitor> lock(*monitor);
    if (stopping) return;
    flushing_bytes += job.flush->bytes;
    if (WaitsBehindAFailure(job)) {
      failed_flushes.push_back(std::move(job));
      return;
    }
    jobs.push_back(std::move(job));
    monitor->NotifyAll();
  }
  void PushLoad(Job job) {
    std::lock_guard<Monitor> lock(*monitor);
    PushLoadLocked(std::move(job));
  }
  void PushLoadLocked(Job job) {
    if (stopping) return;
    job.changes_load = job.changes_load || LoadIsChanging(job.collection);
    for (Job& waiting : jobs) {
      if (waiting.flush != nullptr || waiting.collection != job.collection) continue;
      // It will see the newest catalog when its turn comes.
      waiting.changes_load = job.changes_load;
      return;
    }
    // It does what they did not.
    std::erase_if(failed_loads,
                  [&](const Job& failed) { return failed.collection == job.collection; });
    jobs.push_back(std::move(job));
    monitor->NotifyAll();
  }

  // What is wanted in memory has changed, and readers may see the old state: a job that began
  // before the newest change may also show an older one for a while. Under the monitor.
  bool LoadIsChanging(CollectionId collection) const {
    const auto is_such = [&](const Job& job) {
      return job.flush == nullptr && job.changes_load && job.collection == collection;
    };
    return changing == collection || std::any_of(jobs.begin(), jobs.end(), is_such) ||
           std::any_of(failed_loads.begin(), failed_loads.end(), is_such);
  }

  // Flushes of a shard become official in the order of their seals: a checkpoint says that all
  // before it is in files. So those behind a failed one wait for it. Under the monitor.
  bool WaitsBehindAFailure(const Job& job) const {
    return std::any_of(failed_flushes.begin(), failed_flushes.end(),
                       [&](const Job& failed) { return failed.shard == job.shard; });
  }
  void SetAside(Job failed) {
    const auto behind = std::stable_partition(jobs.begin(), jobs.end(), [&](const Job& waiting) {
      return waiting.flush == nullptr || waiting.shard != failed.shard;
    });
    failed_flushes.push_back(std::move(failed));
    std::move(behind, jobs.end(), std::back_inserter(failed_flushes));
    jobs.erase(behind, jobs.end());
  }

  // Seals one shard on its channel's worker and queues the flush.
  Result<std::vector<SegmentId>> SealShard(const std::shared_ptr<shard::Shard>& shard) {
    std::vector<SegmentId> sealed;
    TRY(OwnerOf(shard->vchannel()).Run([&](Context& run_ctx) -> Status {
      TRY_ASSIGN(const Timestamp now, parts.coord.oracle.Now(run_ctx));
      auto work = shard->Seal(now);
      if (work == nullptr) return {};
      for (const auto& growing : work->segments) sealed.push_back(growing->id());
      // Queued on the worker, so that the queue has the order of the seals.
      PushFlush({.collection = shard->collection(), .shard = shard, .flush = std::move(work)});
      return {};
    }));
    return sealed;
  }

  void JobLoop();
  void TickLoop();
  Status Flush(Job& job);
  Result<model::FlushCommit> WriteFiles(const Job& job);
  Status ShowFlushed(const Job& job);
  Status Load(CollectionId collection);
  Status LoadShard(const roles::CollectionSnapshot& info, shard::Shard& shard);
  Status Show(shard::Shard& shard, const model::CollectionInfo* info,
              const std::function<Status(Context&, std::vector<SegmentId>&)>& swap);
  void TruncateLog(const std::string& vchannel);
};

Node::Node(NodeParts parts, const StreamingOptions& options)
    : impl_(std::make_unique<Impl>(parts, options)) {
  impl_->job_worker = parts.executor.Spawn("segments", [this] { impl_->JobLoop(); });
  impl_->tick_worker = parts.executor.Spawn("seal-tick", [this] { impl_->TickLoop(); });
}

Node::~Node() { Stop(); }

void Node::Stop() {
  impl_->ctx.Cancel();
  impl_->indexer.Stop();
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->stopping = true;
    impl_->monitor->NotifyAll();
  }
  impl_->tick_worker.reset();
  impl_->job_worker.reset();
  for (auto& [pchannel, owner] : impl_->owners) owner->Stop();
}

void Node::OnFlushed(std::function<void(CollectionId)> callback) {
  impl_->on_flushed = std::move(callback);
}

Status Node::Recover(Context& ctx) {
  TRY_ASSIGN(const auto collections, impl_->parts.coord.catalog.List(ctx, model::kDefaultDatabase));
  struct Stream {
    uint64_t from = UINT64_MAX;
    std::map<std::string, std::shared_ptr<shard::Shard>> shards;
  };
  std::map<std::string, Stream> streams;
  std::map<std::string, std::set<PartitionId>> partitions;
  for (const auto& info : collections) {
    for (const std::string& vchannel : info->vchannels) {
      TRY_ASSIGN(const model::ShardCheckpoint checkpoint,
                 impl_->parts.coord.segments.Checkpoint(ctx, vchannel));
      TRY(CheckNothingIsMissing(ctx, impl_->parts.wal, vchannel, checkpoint.position));
      Stream& stream = streams[model::PChannelOf(vchannel)];
      stream.from = std::min(stream.from, checkpoint.position);
      stream.shards[vchannel] =
          std::make_shared<shard::Shard>(impl_->parts.executor, impl_->parts.query, vchannel, info,
                                         checkpoint, &impl_->indexer, &impl_->pages);
      for (const auto& partition : info->partitions) partitions[vchannel].insert(partition.id);
    }
  }
  for (auto& [pchannel, stream] : streams) {
    TRY_ASSIGN(const auto reader, impl_->parts.wal.Read(ctx, pchannel, stream.from));
    store::WalRecord record;
    int64_t replayed = 0;
    while (true) {
      TRY_ASSIGN(const bool more, reader->Next(ctx, record));
      if (!more) break;
      TRY_ASSIGN(auto decoded, DecodeRecord(record.payload));
      auto& [timestamp, write] = decoded;
      const auto found = stream.shards.find(write.vchannel);
      // Records of dropped collections, and those that are flushed already.
      if (found == stream.shards.end() || record.position <= found->second->checkpoint().position) {
        continue;
      }
      if (!write.columns.empty() && partitions[write.vchannel].count(write.partition) == 0) {
        write.columns.clear();
      }
      TRY_ASSIGN(const int64_t id, impl_->parts.coord.oracle.AllocateIds(ctx, 1));
      found->second->Announce(timestamp);
      TRY(found->second->Apply(ctx, write, timestamp, record.position, SegmentId(id)));
      ++replayed;
    }
    if (replayed > 0) LogInfo("log replayed stream={} records={}", pchannel, replayed);
    for (auto& [vchannel, shard] : stream.shards) {
      impl_->OwnerOf(vchannel);
      std::lock_guard<Monitor> lock(*impl_->monitor);
      impl_->shards[vchannel] = shard;
    }
  }
  for (const auto& info : collections) {
    if (info->loaded) impl_->PushLoad({.collection = info->id, .changes_load = true});
  }
  return {};
}

Result<Timestamp> Node::Append(Context& ctx, model::ShardWrite write) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(write.vchannel));
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    const size_t limit = static_cast<size_t>(impl_->options.unflushed_mb_max) << 20;
    if (impl_->flushing_bytes + shard->growing_bytes() > limit) {
      return Error(
          ErrorCode::kTooManyRequests, "{} MB are waiting to be flushed, the limit is {} MB",
          (impl_->flushing_bytes + shard->growing_bytes()) >> 20, impl_->options.unflushed_mb_max);
    }
  }
  ChannelOwner& owner = impl_->OwnerOf(write.vchannel);
  return owner.Append(ctx, shard, std::move(write));
}

Result<Timestamp> Node::ReadMoment(Context& ctx, const std::string& vchannel, Timestamp guarantee) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(vchannel));
  return shard->WaitFor(ctx, guarantee);
}

Result<model::PartialHits> Node::Search(Context& ctx, model::ShardSearch search) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(search.read.vchannel));
  return shard::Search(ctx, *shard, impl_->parts.query, std::move(search),
                       impl_->options.load_wait_ms);
}

Result<model::PartialRows> Node::Query(Context& ctx, model::ShardQuery query) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(query.read.vchannel));
  return shard::Query(ctx, *shard, impl_->parts.query, std::move(query),
                      impl_->options.load_wait_ms);
}

Status Node::OpenChannels(Context& ctx, CollectionId collection) {
  TRY_ASSIGN(const auto info, impl_->parts.coord.catalog.Find(ctx, collection));
  for (const std::string& vchannel : info->vchannels) {
    impl_->OwnerOf(vchannel);
    TRY_ASSIGN(const model::ShardCheckpoint checkpoint,
               impl_->parts.coord.segments.Checkpoint(ctx, vchannel));
    std::lock_guard<Monitor> lock(*impl_->monitor);
    if (impl_->shards.count(vchannel) > 0) continue;
    impl_->shards[vchannel] =
        std::make_shared<shard::Shard>(impl_->parts.executor, impl_->parts.query, vchannel, info,
                                       checkpoint, &impl_->indexer, &impl_->pages);
  }
  return {};
}

Status Node::CloseChannels(Context& ctx, CollectionId collection) {
  for (const auto& shard : impl_->ShardsOf(collection)) {
    {
      std::lock_guard<Monitor> lock(*impl_->monitor);
      impl_->shards.erase(shard->vchannel());
    }
    // Behind what runs on the worker: a load may be about to show its segments. No later one does,
    // the catalog has forgotten the collection.
    std::vector<SegmentId> loaded;
    TRY(impl_->OwnerOf(shard->vchannel()).Run([&](Context&) -> Status {
      loaded = shard->Read()->loaded;
      return {};
    }));
    for (SegmentId id : loaded) TRY(impl_->parts.query.ReleaseSegment(ctx, id));
  }
  return {};
}

Result<roles::SealResult> Node::Seal(Context& ctx, CollectionId collection) {
  roles::SealResult result;
  TRY_ASSIGN(result.timestamp, impl_->parts.coord.oracle.Now(ctx));
  for (const auto& shard : impl_->ShardsOf(collection)) {
    TRY_ASSIGN(const auto sealed, impl_->SealShard(shard));
    result.sealed.insert(result.sealed.end(), sealed.begin(), sealed.end());
  }
  return result;
}

Result<bool> Node::IsFlushed(Context&, CollectionId collection, Timestamp timestamp) {
  for (const auto& shard : impl_->ShardsOf(collection)) {
    if (shard->flushed_ts() < timestamp) return false;
  }
  return true;
}

Status Node::SyncLoaded(Context& ctx, CollectionId collection) {
  const auto info = impl_->parts.coord.catalog.Find(ctx, collection);
  if (info.status().code() == ErrorCode::kCollectionNotFound) return {};  // Dropped meanwhile.
  TRY(info.status());
  bool changes_load = false;
  for (const auto& shard : impl_->ShardsOf(collection)) {
    changes_load = changes_load || !Shows(*shard->Read(), **info);
  }
  impl_->PushLoad({.collection = collection, .changes_load = changes_load});
  return {};
}

Result<int64_t> Node::LoadProgress(Context& ctx, CollectionId collection) {
  TRY_ASSIGN(const auto info, impl_->parts.coord.catalog.Find(ctx, collection));
  if (!info->loaded) {
    return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotLoaded).name, info->schema.name);
  }
  TRY_ASSIGN(const auto segments, impl_->parts.coord.segments.ListSegments(ctx, collection));
  bool is_done = true;
  {
    // Before the shards are looked at: a job that begins later knows what `info` says.
    std::lock_guard<Monitor> lock(*impl_->monitor);
    is_done = !impl_->LoadIsChanging(collection);
  }
  std::set<SegmentId> loaded;
  for (const auto& shard : impl_->ShardsOf(collection)) {
    const auto state = shard->Read();
    loaded.insert(state->loaded.begin(), state->loaded.end());
    is_done = is_done && Shows(*state, *info);
  }
  if (is_done) return 100;
  int64_t wanted = 0;
  int64_t have = 0;
  for (const auto& segment : segments) {
    if (!info->IsLoaded(segment.partition)) continue;
    ++wanted;
    have += loaded.count(segment.id) > 0 ? 1 : 0;
  }
  return wanted == 0 ? 0 : std::min<int64_t>(99, have * 100 / wanted);
}

Result<int64_t> Node::GrowingRows(Context&, CollectionId collection, PartitionId partition) {
  int64_t rows = 0;
  for (const auto& shard : impl_->ShardsOf(collection)) rows += shard->FreshRows(partition);
  return rows;
}

Result<std::vector<SegmentId>> Node::FreshSegments(Context&, CollectionId collection) {
  std::vector<SegmentId> ids;
  for (const auto& shard : impl_->ShardsOf(collection)) {
    for (const auto& growing : shard->Read()->fresh) ids.push_back(growing->id());
  }
  return ids;
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
      if (!status.ok() && !gone) failed_loads.push_back(std::move(job));
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
    for (const auto& shard : all) {
      if (!SealIsDue(*shard, options, parts.clock.NowMs())) continue;
      const auto sealed = SealShard(shard);
      if (!sealed.ok()) LogWarn("sealing failed error=\"{}\"", sealed.status().ToString());
    }
  }
}

Result<model::FlushCommit> Node::Impl::WriteFiles(const Job& job) {
  model::FlushCommit commit{.vchannel = job.shard->vchannel(),
                            .collection = job.collection,
                            .checkpoint = job.flush->checkpoint,
                            .checkpoint_ts = job.flush->checkpoint_ts};
  for (const auto& growing : job.flush->segments) {
    roles::FlushTask task{.segment = growing->id(),
                          .collection = job.collection,
                          .partition = growing->partition(),
                          .vchannel = commit.vchannel};
    growing->Export(task.columns, task.row_timestamps);
    if (task.row_timestamps.empty()) continue;  // Every row was deleted before it was flushed.
    TRY_ASSIGN(model::SegmentInfo segment, parts.data.Flush(ctx, task));
    // The export has left out what older deletes hide, and the seal was older than later ones.
    segment.deletes_applied = commit.checkpoint_ts;
    segment.deletes_counted = commit.checkpoint_ts;
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
  TruncateLog(commit.vchannel);
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
    shard.SetCollection(now);
    return shard.Swap(run_ctx, wanted, {}, now->loaded);
  });
}

// Opens the official segments of a shard that `info` wants (null: none), lets `swap` show them on
// the channel's worker, and releases what is not shown. `swap` leaves in its list what it shows.
// Segments, deletes and checkpoint are of one moment: a compaction may change all of them.
Status Node::Impl::Show(shard::Shard& shard, const model::CollectionInfo* info,
                        const std::function<Status(Context&, std::vector<SegmentId>&)>& swap) {
  TRY_ASSIGN(const model::ShardFiles files, parts.coord.segments.ListShard(ctx, shard.vchannel()));
  std::map<SegmentId, PartitionId> opened;
  for (const auto& segment : files.segments) {
    if (info == nullptr || !info->IsLoaded(segment.partition)) continue;
    TRY(parts.query.LoadSegment(ctx, segment, *info, files.deltas));
    opened[segment.id] = segment.partition;
  }
  std::vector<SegmentId> unused;
  Status shown = OwnerOf(shard.vchannel()).Run([&](Context& run_ctx) -> Status {
    std::vector<SegmentId> held = shard.Read()->loaded;
    for (const auto& [id, partition] : opened) held.push_back(id);
    unused = Without(held, shard.Read()->loaded);
    TRY_ASSIGN(const auto now, parts.coord.catalog.Find(run_ctx, shard.collection()));
    std::vector<SegmentId> wanted;
    for (const auto& [id, partition] : opened) {
      if (now->HasPartition(partition)) wanted.push_back(id);
    }
    TRY(swap(run_ctx, wanted));
    unused = Without(held, wanted);
    return {};
  });
  for (SegmentId id : unused) TRY(parts.query.ReleaseSegment(ctx, id));
  return shown;
}

void Node::Impl::TruncateLog(const std::string& vchannel) {
  const std::string pchannel = model::PChannelOf(vchannel);
  std::vector<std::shared_ptr<shard::Shard>> on_stream;
  {
    std::lock_guard<Monitor> lock(*monitor);
    for (const auto& [name, shard] : shards) {
      if (model::PChannelOf(name) == pchannel) on_stream.push_back(shard);
    }
  }
  // On the worker nothing is between log and shard, so a shard without unflushed rows needs no
  // record.
  const Status status = OwnerOf(vchannel).Run([&](Context& run_ctx) -> Status {
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
