// The worker of one log stream.
#include "streaming/channel_owner.h"

#include <cstring>
#include <mutex>

#include "base/bytes.h"
#include "base/fields.h"
#include "base/log.h"
#include "model/channel.h"

namespace elanus::streaming {

std::string EncodeRecord(const model::ShardWrite& write) {
  return std::string(8, '\0') + Encode(write);
}

void StampRecord(std::string& record, Timestamp timestamp) {
  const uint64_t value = timestamp.value();
  std::memcpy(record.data(), &value, 8);
}

Result<std::pair<Timestamp, model::ShardWrite>> DecodeRecord(std::string_view record) {
  ByteReader in(record);
  uint64_t timestamp;
  if (!in.U64(timestamp))
    return Status(ErrorCode::kIntegrity, "a log record ends inside its timestamp");
  TRY_ASSIGN(model::ShardWrite write, Decode<model::ShardWrite>(record.substr(8)));
  return std::pair(Timestamp(timestamp), std::move(write));
}

int64_t NewSegments(const model::ShardWrite& write) {
  return 1 + static_cast<int64_t>(write.more.size());
}

Status CheckNothingIsMissing(Context& ctx, store::Wal& wal, const std::string& vchannel,
                             uint64_t checkpoint) {
  const std::string stream = model::PChannelOf(vchannel);
  TRY_ASSIGN(const uint64_t last, wal.LastPosition(ctx, stream));
  if (last >= checkpoint) return {};
  return Error(
      ErrorCode::kIntegrity,
      "the log {} ends at record {}, but records up to {} were read from it: files of it "
      "are missing. Put them back; or, to go on without what they held, run `elanus repair "
      "--data DIR`, which says what that is and goes on when told to",
      stream, last, checkpoint);
}

struct ChannelOwner::Pending {
  // A write, or else a change.
  std::shared_ptr<shard::Shard> shard;
  model::ShardWrite write;
  std::string record;
  SegmentId new_segment;
  std::function<Status(Context&)> change;
  // The outcome; guarded by the owner's monitor until `done`.
  bool done = false;
  Status status;
  Timestamp timestamp;
  uint64_t position = 0;
};

ChannelOwner::ChannelOwner(Executor& executor, Clock& clock, std::string pchannel, store::Wal& wal,
                           roles::Oracle& oracle, const StreamingOptions& options)
    : executor_(executor),
      clock_(clock),
      pchannel_(std::move(pchannel)),
      wal_(wal),
      oracle_(oracle),
      options_(options),
      monitor_(executor.MakeMonitor()) {}

ChannelOwner::~ChannelOwner() { Stop(); }

void ChannelOwner::Start() {
  {
    std::lock_guard<Monitor> lock(*monitor_);
    running_ = true;
  }
  worker_ = executor_.Spawn("log-" + pchannel_, [this] { Loop(); });
}

void ChannelOwner::Stop() {
  {
    std::lock_guard<Monitor> lock(*monitor_);
    stopping_ = true;
    monitor_->NotifyAll();
  }
  worker_.reset();
}

Result<Timestamp> ChannelOwner::Append(Context& ctx, std::shared_ptr<shard::Shard> shard,
                                       model::ShardWrite write) {
  TRY(ctx.CheckAlive());
  auto pending = std::make_shared<Pending>();
  pending->record = EncodeRecord(write);
  pending->shard = std::move(shard);
  pending->write = std::move(write);
  TRY_ASSIGN(const int64_t id, oracle_.AllocateIds(ctx, NewSegments(pending->write)));
  pending->new_segment = SegmentId(id);
  std::lock_guard<Monitor> lock(*monitor_);
  if (stopping_) return Status(ErrorCode::kServiceNotReady, "the server is stopping");
  if (queue_.size() >= static_cast<size_t>(options_.append_queue_max)) {
    return Error(ErrorCode::kTooManyRequests, "{}[limit={}]",
                 InfoOf(ErrorCode::kTooManyRequests).name, options_.append_queue_max);
  }
  queue_.push_back(pending);
  monitor_->NotifyAll();
  // Once queued the write will happen, so its caller waits for the truth even past a deadline.
  while (!pending->done) monitor_->Wait();
  if (!pending->status.ok()) return pending->status;
  return pending->timestamp;
}

Status ChannelOwner::Run(std::function<Status(Context&)> change) {
  auto pending = std::make_shared<Pending>();
  pending->change = std::move(change);
  std::lock_guard<Monitor> lock(*monitor_);
  if (stopping_ || !running_) return Status(ErrorCode::kServiceNotReady, "the server is stopping");
  queue_.push_back(pending);
  monitor_->NotifyAll();
  while (!pending->done) monitor_->Wait();
  return pending->status;
}

void ChannelOwner::Loop() {
  Context ctx(clock_);
  while (true) {
    std::vector<std::shared_ptr<Pending>> taken;
    {
      std::lock_guard<Monitor> lock(*monitor_);
      while (queue_.empty() && !stopping_) monitor_->Wait();
      if (queue_.empty()) return;
      size_t bytes = 0;
      const size_t bytes_max = static_cast<size_t>(options_.append_batch_mb_max) << 20;
      // A change ends the group: what is queued before it is applied first.
      while (!queue_.empty() && bytes < bytes_max) {
        const bool is_change = queue_.front()->change != nullptr;
        if (is_change && !taken.empty()) break;
        bytes += queue_.front()->record.size();
        taken.push_back(std::move(queue_.front()));
        queue_.pop_front();
        if (is_change) break;
      }
    }
    if (taken.size() == 1 && taken[0]->change != nullptr) {
      Status status = taken[0]->change(ctx);
      std::lock_guard<Monitor> lock(*monitor_);
      taken[0]->status = std::move(status);
      taken[0]->done = true;
      monitor_->NotifyAll();
      continue;
    }
    std::vector<Pending*> group;
    group.reserve(taken.size());
    for (const auto& pending : taken) group.push_back(pending.get());
    CommitGroup(ctx, group);
    {
      std::lock_guard<Monitor> lock(*monitor_);
      for (Pending* pending : group) pending->done = true;
      monitor_->NotifyAll();
    }
    ApplyGroup(ctx, taken);
  }
}

void ChannelOwner::CommitGroup(Context& ctx, std::vector<Pending*>& group) {
  std::vector<std::string_view> records;
  Status failed;
  for (Pending* pending : group) {
    Result<Timestamp> timestamp = oracle_.Now(ctx);
    if (!timestamp.ok()) {
      failed = timestamp.status();
      break;
    }
    pending->timestamp = *timestamp;
    StampRecord(pending->record, *timestamp);
    pending->shard->Announce(*timestamp);
    records.push_back(pending->record);
  }
  if (failed.ok()) {
    Result<std::vector<store::WalPosition>> positions = wal_.Append(ctx, pchannel_, records);
    if (positions.ok()) {
      for (size_t i = 0; i < group.size(); ++i) {
        group[i]->position = (*positions)[i];
        group[i]->shard->Acknowledge(group[i]->timestamp);
      }
      return;
    }
    failed = positions.status();
  }
  LogError("write to the log failed stream={} error=\"{}\"", pchannel_, failed.ToString());
  for (Pending* pending : group) {
    pending->status = failed;
    // Nobody may wait for a record that will never come.
    pending->shard->Advance(pending->timestamp);
  }
}

void ChannelOwner::ApplyGroup(Context& ctx, const std::vector<std::shared_ptr<Pending>>& group) {
  for (const auto& pending : group) {
    if (!pending->status.ok()) continue;
    Status applied = pending->shard->Apply(ctx, pending->write, pending->timestamp,
                                           pending->position, pending->new_segment);
    if (!applied.ok()) {
      LogError("applying a log record failed vchannel={} position={} error=\"{}\"",
               pending->shard->vchannel(), pending->position, applied.ToString());
      pending->shard->Advance(pending->timestamp);
    }
  }
}

}  // namespace elanus::streaming
