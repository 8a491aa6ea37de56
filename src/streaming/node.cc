// A streaming node.
#include "streaming/node.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "model/channel.h"
#include "streaming/node_impl.h"

namespace elanus::streaming {
namespace {

constexpr int kTriesBeforeTold = 3;  // Of a load, in a row.

// Readers see what `info` wants loaded.
bool Shows(const shard::State& state, const model::CollectionInfo& info) {
  return SameLoad(*state.collection, info) && state.readable == info.loaded;
}

}  // namespace

Status Node::Impl::WithWorkers(std::span<const std::string> pchannels,
                               const std::function<Status(Context&)>& change) {
  ChannelOwner& owner = OwnerOfStream(pchannels.front());
  if (pchannels.size() == 1) return owner.Run(change);
  return owner.Run([&](Context&) { return WithWorkers(pchannels.subspan(1), change); });
}

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
      stream.shards[vchannel] = std::make_shared<shard::Shard>(
          impl_->parts.executor, impl_->parts.query, vchannel, info, checkpoint, &impl_->indexer,
          &impl_->pages, impl_->threads());
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
      TRY_ASSIGN(const int64_t id, impl_->parts.coord.oracle.AllocateIds(ctx, NewSegments(write)));
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
  TRY(shard->WaitForSchema(ctx, write.schema_version, impl_->options.schema_wait_ms));
  ChannelOwner& owner = impl_->OwnerOf(write.vchannel);
  return owner.Append(ctx, shard, std::move(write));
}

Result<Timestamp> Node::ReadMoment(Context& ctx, const std::string& vchannel, Timestamp guarantee) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(vchannel));
  TRY_ASSIGN(const Timestamp moment, shard->WaitFor(ctx, guarantee));
  // Whoever asks reads more than once.
  impl_->open_reads.Note(shard->collection(), moment, impl_->parts.clock.NowMs());
  return moment;
}

Timestamp Node::OldestOpenRead(CollectionId collection) {
  return impl_->open_reads.Oldest(collection, impl_->parts.clock.NowMs());
}

Result<model::PartialHits> Node::Search(Context& ctx, model::ShardSearch search) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(search.read.vchannel));
  impl_->NotePinned(*shard, search.read);
  TRY(shard->WaitForSchema(ctx, search.read.schema_version, impl_->options.schema_wait_ms));
  return shard::Search(ctx, *shard, impl_->parts.query, std::move(search), impl_->read_options());
}

Result<model::TermTotals> Node::CountTerms(Context& ctx, const model::ShardSearch& search) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(search.read.vchannel));
  return shard::CountSearched(ctx, *shard, impl_->parts.query, search, impl_->read_options());
}

Result<model::PartialRows> Node::Query(Context& ctx, model::ShardQuery query) {
  TRY_ASSIGN(const auto shard, impl_->ShardOf(query.read.vchannel));
  impl_->NotePinned(*shard, query.read);
  TRY(shard->WaitForSchema(ctx, query.read.schema_version, impl_->options.schema_wait_ms));
  return shard::Query(ctx, *shard, impl_->parts.query, std::move(query), impl_->read_options());
}

Status Node::OpenChannels(Context& ctx, CollectionId collection) {
  TRY_ASSIGN(const auto info, impl_->parts.coord.catalog.Find(ctx, collection));
  for (const std::string& vchannel : info->vchannels) {
    impl_->OwnerOf(vchannel);
    TRY_ASSIGN(const model::ShardCheckpoint checkpoint,
               impl_->parts.coord.segments.Checkpoint(ctx, vchannel));
    std::lock_guard<Monitor> lock(*impl_->monitor);
    if (impl_->shards.count(vchannel) > 0) continue;
    impl_->shards[vchannel] = std::make_shared<shard::Shard>(
        impl_->parts.executor, impl_->parts.query, vchannel, info, checkpoint, &impl_->indexer,
        &impl_->pages, impl_->threads());
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

Status Node::Truncate(Context& ctx, CollectionId collection) {
  const auto shards = impl_->ShardsOf(collection);
  if (shards.empty()) return impl_->parts.coord.catalog.Find(ctx, collection).status();
  std::set<std::string> streams;
  for (const auto& shard : shards) streams.insert(model::PChannelOf(shard->vchannel()));
  // In one order for all, so that no two truncations wait for each other.
  const std::vector<std::string> in_order(streams.begin(), streams.end());
  std::vector<SegmentId> unused;
  TRY(impl_->WithWorkers(in_order, [&](Context& run_ctx) -> Status {
    model::TruncateCommit commit{.collection = collection};
    TRY_ASSIGN(commit.timestamp, impl_->parts.coord.oracle.Now(run_ctx));
    for (const auto& shard : shards) {
      commit.channels.push_back(
          {.vchannel = shard->vchannel(), .position = shard->applied_position()});
    }
    TRY(impl_->parts.coord.segments.CommitTruncate(run_ctx, commit));
    for (const auto& shard : shards) {
      const std::vector<SegmentId> loaded = shard->Read()->loaded;
      unused.insert(unused.end(), loaded.begin(), loaded.end());
      shard->Truncate(commit.timestamp);
    }
    LogInfo("truncated collection={} timestamp={}", collection.value(), commit.timestamp.value());
    return {};
  }));
  for (SegmentId id : unused) TRY(impl_->parts.query.ReleaseSegment(ctx, id));
  for (const std::string& stream : in_order) impl_->TruncateLog(stream);
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

Status Node::SyncSchema(Context& ctx, CollectionId collection) {
  Status all;
  for (const auto& shard : impl_->ShardsOf(collection)) {
    const Status one = impl_->OwnerOf(shard->vchannel()).Run([&](Context& run_ctx) -> Status {
      TRY_ASSIGN(const auto now, impl_->parts.coord.catalog.Find(run_ctx, collection));
      TRY(impl_->parts.query.SetSchema(run_ctx, collection, now->schema));
      shard->SetSchema(*now);
      return {};
    });
    if (all.ok()) all = one;
  }
  // What the schema brings for segments that are open, and what went wrong just now.
  TRY(SyncLoaded(ctx, collection));
  return all.code() == ErrorCode::kCollectionNotFound ? Status() : all;
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

Status Node::LoadFailure(Context&, CollectionId collection) {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  const auto failed = impl_->load_failures.find(collection);
  if (failed == impl_->load_failures.end()) return {};
  // Damage does not go away by itself; a file that was compacted away during the try does.
  const auto& [status, tries] = failed->second;
  return status.code() == ErrorCode::kIntegrity || tries >= kTriesBeforeTold ? status : Status();
}

Result<int64_t> Node::GrowingRows(Context&, CollectionId collection, PartitionId partition) {
  int64_t rows = 0;
  for (const auto& shard : impl_->ShardsOf(collection)) rows += shard->FreshRows(partition);
  return rows;
}

Result<std::vector<model::ServedSegment>> Node::ServedSegments(Context& ctx,
                                                               CollectionId collection) {
  std::vector<model::ServedSegment> served;
  for (const auto& shard : impl_->ShardsOf(collection)) {
    std::vector<SegmentId> loaded;
    TRY(impl_->OwnerOf(shard->vchannel()).Run([&](Context&) -> Status {
      for (model::ServedSegment& fresh : shard->Fresh()) served.push_back(std::move(fresh));
      loaded = shard->Read()->loaded;
      return {};
    }));
    TRY_ASSIGN(auto sealed, impl_->parts.query.Describe(ctx, loaded));
    for (model::ServedSegment& one : sealed) served.push_back(std::move(one));
  }
  return served;
}

Result<std::vector<SegmentId>> Node::FreshSegments(Context&, CollectionId collection) {
  std::vector<SegmentId> ids;
  for (const auto& shard : impl_->ShardsOf(collection)) {
    for (const auto& growing : shard->Read()->fresh) ids.push_back(growing->id());
  }
  return ids;
}

}  // namespace elanus::streaming
