// Owns one log stream: orders the writes of its shards, makes them durable in groups, applies them.
//
// Invariants:
// 1. One worker takes writes from the queue in order, gives each its timestamp, appends the group
//    with one sync, answers the callers, and applies the records in log order. Timestamps and
//    positions rise together.
// 2. A record is announced to its shard before it is appended, so a read that begins after the
//    writer's answer waits until it is applied.
// 3. Changes of a shard (seal, swap) run on the same worker between groups, so they see a whole
//    prefix.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "roles/coord.h"
#include "shard/shard.h"
#include "store/wal.h"
#include "streaming/options.h"

namespace elanus::streaming {

class ChannelOwner {
 public:
  ChannelOwner(Executor& executor, Clock& clock, std::string pchannel, store::Wal& wal,
               roles::Oracle& oracle, const StreamingOptions& options);
  ~ChannelOwner();

  const std::string& pchannel() const { return pchannel_; }

  /// Queues the write and waits until it is durable.
  Result<Timestamp> Append(Context& ctx, std::shared_ptr<shard::Shard> shard,
                           model::ShardWrite write);
  /// Runs `change` on the worker between groups and waits for it.
  Status Run(std::function<Status(Context&)> change);
  /// Starts the worker, once recovery is over.
  void Start();
  /// Lets the queue run dry and ends the worker; later appends are refused.
  void Stop();

 private:
  struct Pending;
  void Loop();
  void CommitGroup(Context& ctx, std::vector<Pending*>& group);
  void ApplyGroup(Context& ctx, const std::vector<std::shared_ptr<Pending>>& group);

  Executor& executor_;
  Clock& clock_;
  const std::string pchannel_;
  store::Wal& wal_;
  roles::Oracle& oracle_;
  const StreamingOptions options_;

  std::unique_ptr<Monitor> monitor_;  // Guards the members below.
  std::deque<std::shared_ptr<Pending>> queue_;
  bool stopping_ = false;
  bool running_ = false;

  std::unique_ptr<Worker> worker_;
};

/// A log record: u64 timestamp, then the encoded model::ShardWrite.
std::string EncodeRecord(const model::ShardWrite& write);
void StampRecord(std::string& record, Timestamp timestamp);
Result<std::pair<Timestamp, model::ShardWrite>> DecodeRecord(std::string_view record);

/// How many segments a record may open; it needs as many fresh ids.
int64_t NewSegments(const model::ShardWrite& write);

/// kIntegrity when the log ends before a checkpoint of the channel: it has lost files, and new
/// records would get positions that recovery takes for flushed ones.
Status CheckNothingIsMissing(Context& ctx, store::Wal& wal, const std::string& vchannel,
                             uint64_t checkpoint);

}  // namespace elanus::streaming
