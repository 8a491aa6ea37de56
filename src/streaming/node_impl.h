// What a streaming node consists of, and the work on segments that waits. Private to the node.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shard/read.h"
#include "shard/shard.h"
#include "streaming/channel_owner.h"
#include "streaming/node.h"
#include "streaming/open_reads.h"

namespace elanus::streaming {

/// Both want the same in memory.
bool SameLoad(const model::CollectionInfo& a, const model::CollectionInfo& b);

struct Node::Impl {
  struct Job {
    CollectionId collection;
    std::shared_ptr<shard::Shard> shard;        // Of a flush.
    std::shared_ptr<shard::FlushWork> flush;    // Null: match what is loaded to the catalog.
    std::optional<model::FlushCommit> written;  // The files of the flush, once all are there.
    uint64_t truncations = 0;                   // Of the shard, when it was sealed.
    bool changes_load = false;  // What is wanted in memory has changed; else a new index, say.
  };

  struct LoadFailure {
    Status status;  // Of the latest try.
    int tries = 0;  // In a row.
  };

  NodeParts parts;
  StreamingOptions options;
  std::function<void(CollectionId)> on_flushed;
  Context ctx;                      // Of background work; cancelled at the end.
  segment::GrowingIndexer indexer;  // Outlives the shards.
  shard::Pages pages;               // Likewise.
  OpenReads open_reads;

  std::unique_ptr<Monitor> monitor;                             // Guards the members below.
  std::map<std::string, std::unique_ptr<ChannelOwner>> owners;  // By pchannel; only grows.
  std::map<std::string, std::shared_ptr<shard::Shard>, std::less<>> shards;  // By vchannel.
  std::deque<Job> jobs;
  CollectionId changing;          // Of the running job, when it changes_load.
  std::vector<Job> failed_loads;  // Tried again at the next tick.
  std::map<CollectionId, LoadFailure> load_failures;
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
        open_reads(o.pages.idle_s_max),
        monitor(p.executor.MakeMonitor()) {}

  shard::ReadOptions read_options() const {
    return {.load_wait_ms = options.load_wait_ms,
            .entity_expiration_s = options.entity_expiration_s};
  }
  segment::SearchThreads threads() const {
    return {.pool = parts.search_pool, .batch = options.batch};
  }
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
  // A read at a moment that was chosen before is one of several.
  void NotePinned(const shard::Shard& shard, const model::ShardRead& read) {
    if (read.read_at == Timestamp()) return;
    open_reads.Note(shard.collection(), read.read_at, parts.clock.NowMs());
  }
  ChannelOwner& OwnerOf(std::string_view vchannel) {
    return OwnerOfStream(model::PChannelOf(vchannel));
  }
  ChannelOwner& OwnerOfStream(const std::string& pchannel) {
    std::lock_guard<Monitor> lock(*monitor);
    std::unique_ptr<ChannelOwner>& owner = owners[pchannel];
    if (owner == nullptr) {
      owner = std::make_unique<ChannelOwner>(parts.executor, parts.clock, pchannel, parts.wal,
                                             parts.coord.oracle, options);
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
  void SetAside(Job failed);

  // Seals one shard on its channel's worker and queues the flush.
  Result<std::vector<SegmentId>> SealShard(const std::shared_ptr<shard::Shard>& shard);
  // Runs `change` while the workers of all these streams wait for it: between two records of each.
  Status WithWorkers(std::span<const std::string> pchannels,
                     const std::function<Status(Context&)>& change);

  void JobLoop();
  void TickLoop();
  void SealWhatIsDue(std::span<const std::shared_ptr<shard::Shard>> all);
  Timestamp DeletedUntil(const Job& job);
  Status Flush(Job& job);
  Result<model::FlushCommit> WriteFiles(const Job& job);
  Status ShowFlushed(const Job& job);
  Status Load(CollectionId collection);
  Status LoadShard(const roles::CollectionSnapshot& info, shard::Shard& shard);
  Status Show(shard::Shard& shard, const model::CollectionInfo* info,
              const std::function<Status(Context&, std::vector<SegmentId>&)>& swap);
  void TruncateLog(const std::string& pchannel);
};

}  // namespace elanus::streaming
