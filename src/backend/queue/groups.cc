// The queue on the log: its groups, and what they read.
#include <algorithm>

#include "backend/queue/impl.h"

namespace elanus::backend {
namespace {

constexpr int64_t kLookMs = 100;  // At whether the caller has gone.

// A group that nobody else reads meanwhile.
class Reading {
 public:
  Reading(Monitor& monitor, QueueGroup& group) : monitor_(monitor), group_(group) {
    std::lock_guard<Monitor> lock(monitor_);
    while (group_.is_read) monitor_.Wait();
    group_.is_read = true;
  }
  ~Reading() {
    std::lock_guard<Monitor> lock(monitor_);
    group_.is_read = false;
    monitor_.NotifyAll();
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  Monitor& monitor_;
  QueueGroup& group_;
};

}  // namespace

Result<bool> LogQueue::Impl::Has(Context& call_ctx, std::string_view topic, WalPosition message) {
  if (message == 0) return false;
  TRY_ASSIGN(const auto reader, parts.wal.Read(call_ctx, topic, message - 1));
  WalRecord record;
  TRY_ASSIGN(const bool found, reader->Next(call_ctx, record));
  return found && record.position == message;
}

// The position before the first message to be read.
Result<WalPosition> LogQueue::Impl::StartOf(Context& call_ctx, std::string_view topic,
                                            const QueueStart& start) {
  switch (start.at) {
    case QueueStart::At::kLatest:
      return parts.wal.LastPosition(call_ctx, topic);
    case QueueStart::At::kMessage: {
      TRY_ASSIGN(const bool is_there, Has(call_ctx, topic, start.message));
      return is_there ? start.message - 1 : 0;
    }
    case QueueStart::At::kEarliest:
      break;
  }
  return 0;
}

Status LogQueue::CreateGroup(Context& ctx, std::string_view topic_name, std::string_view name,
                             const QueueStart& start) {
  TRY(CheckName("group", name));
  TRY_ASSIGN(const TopicPointer topic, impl_->Find(topic_name));
  const Impl::Turn turn(*impl_);
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    if (topic->groups.count(name) > 0) {
      return Error(store::kConsumerGroup, "topic {} has a group {} already", topic_name, name);
    }
  }
  auto group = std::make_shared<QueueGroup>();
  TRY_ASSIGN(group->record.position, impl_->StartOf(ctx, topic_name, start));
  TRY(impl_->Put(ctx, GroupKey(topic_name, name), Encode(group->record)));
  std::lock_guard<Monitor> lock(*impl_->monitor);
  topic->groups.emplace(name, std::move(group));
  return {};
}

Status LogQueue::DestroyGroup(Context& ctx, std::string_view topic_name, std::string_view name) {
  TRY_ASSIGN(const TopicPointer topic, impl_->Find(topic_name));
  const Impl::Turn turn(*impl_);
  store::MetaTxn txn;
  txn.deletes.push_back(GroupKey(topic_name, name));
  TRY(impl_->parts.meta.Commit(ctx, txn).status());
  std::lock_guard<Monitor> lock(*impl_->monitor);
  if (const auto found = topic->groups.find(name); found != topic->groups.end()) {
    topic->groups.erase(found);
  }
  return {};
}

Result<std::vector<WalRecord>> LogQueue::Impl::ReadNext(Context& call_ctx, std::string_view topic,
                                                        QueueGroup& group, size_t count) {
  if (group.reader == nullptr) {
    TRY_ASSIGN(group.reader, parts.wal.Read(call_ctx, topic, group.record.position));
  }
  std::vector<WalRecord> messages;
  while (messages.size() < count) {
    WalRecord record;
    TRY_ASSIGN(const bool more, group.reader->Next(call_ctx, record));
    if (!more) break;
    messages.push_back(std::move(record));
  }
  return messages;
}

Result<std::vector<WalRecord>> LogQueue::Consume(Context& ctx, std::string_view topic_name,
                                                 std::string_view name, size_t count,
                                                 int64_t wait_ms) {
  TRY_ASSIGN(const TopicPointer topic, impl_->Find(topic_name));
  std::shared_ptr<QueueGroup> group;
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    const auto found = topic->groups.find(name);
    if (found == topic->groups.end()) return NoGroup(topic_name, name);
    group = found->second;
  }
  const Reading reading(*impl_->monitor, *group);
  const int64_t until_us = ctx.clock().MonotonicUs() + wait_ms * 1000;
  std::vector<WalRecord> messages;
  while (true) {
    uint64_t seen = 0;
    {
      std::lock_guard<Monitor> lock(*impl_->monitor);
      seen = topic->appends;
    }
    Result<std::vector<WalRecord>> next = impl_->ReadNext(ctx, topic_name, *group, count);
    if (!next.ok()) {
      group->reader.reset();
      return next.status();
    }
    messages = std::move(*next);
    if (!messages.empty()) break;
    std::lock_guard<Monitor> lock(*impl_->monitor);
    while (topic->appends == seen) {
      TRY(impl_->FindLocked(topic_name).status());
      TRY(ctx.CheckAlive());
      const int64_t left_ms = (until_us - ctx.clock().MonotonicUs()) / 1000;
      if (left_ms <= 0) return messages;
      impl_->monitor->WaitFor(std::min(left_ms, kLookMs));
    }
  }
  const GroupRecord record{.position = messages.back().position, .has_read = true};
  const Status moved = impl_->Put(ctx, GroupKey(topic_name, name), Encode(record));
  if (!moved.ok()) {
    group->reader.reset();  // They are delivered again.
    return moved;
  }
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    group->record = record;
  }
  const Impl::Turn turn(*impl_);
  TRY(impl_->MarkAcked(ctx, topic_name, *topic));
  return messages;
}

Status LogQueue::Impl::MoveTo(Context& call_ctx, std::string_view topic_name, std::string_view name,
                              WalPosition position, bool is_reset) {
  TRY_ASSIGN(const TopicPointer topic, Find(topic_name));
  std::shared_ptr<QueueGroup> group;
  {
    std::lock_guard<Monitor> lock(*monitor);
    const auto found = topic->groups.find(name);
    if (found == topic->groups.end()) return NoGroup(topic_name, name);
    group = found->second;
  }
  const Reading reading(*monitor, *group);
  if (group->record.has_read && (is_reset || position < group->record.position)) {
    return Error(ErrorCode::kInternal, "group {} of topic {} has read up to {}: it cannot go back",
                 name, topic_name, group->record.position);
  }
  GroupRecord record = group->record;
  record.position = position;
  TRY(Put(call_ctx, GroupKey(topic_name, name), Encode(record)));
  {
    std::lock_guard<Monitor> lock(*monitor);
    group->record = record;
  }
  group->reader.reset();
  const Turn turn(*this);
  return MarkAcked(call_ctx, topic_name, *topic);
}

Status LogQueue::Seek(Context& ctx, std::string_view topic, std::string_view group,
                      WalPosition message) {
  TRY(impl_->Find(topic).status());
  TRY_ASSIGN(const bool is_there, impl_->Has(ctx, topic, message));
  return impl_->MoveTo(ctx, topic, group, is_there ? message - 1 : 0, /*is_reset=*/!is_there);
}

Status LogQueue::SeekToLatest(Context& ctx, std::string_view topic, std::string_view group) {
  TRY(impl_->Find(topic).status());
  TRY_ASSIGN(const WalPosition last, impl_->parts.wal.LastPosition(ctx, topic));
  return impl_->MoveTo(ctx, topic, group, last, /*is_reset=*/false);
}

Result<WalPosition> LogQueue::Position(Context&, std::string_view topic_name,
                                       std::string_view name) {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  TRY_ASSIGN(const TopicPointer topic, impl_->FindLocked(topic_name));
  const auto found = topic->groups.find(name);
  if (found == topic->groups.end()) return NoGroup(topic_name, name);
  return found->second->record.position;
}

}  // namespace elanus::backend
