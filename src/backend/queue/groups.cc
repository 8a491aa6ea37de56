// The queue on the log: its groups, and what they read.
#include <algorithm>

#include "backend/queue/impl.h"
#include "base/log.h"

namespace elanus::backend {
namespace {

constexpr int64_t kLookMs = 100;  // At whether the caller has gone.

}  // namespace

Result<std::shared_ptr<QueueGroup>> LogQueue::Impl::GroupOf(const LogTopic& topic,
                                                            std::string_view topic_name,
                                                            std::string_view name) {
  std::lock_guard<Monitor> lock(*monitor);
  const auto found = topic.groups.find(name);
  if (found == topic.groups.end()) return NoGroup(topic_name, name);
  return found->second;
}

// As the reader of the group: it was not destroyed while others read it.
Status LogQueue::Impl::CheckStays(const QueueGroup& group, std::string_view topic_name,
                                  std::string_view name) {
  std::lock_guard<Monitor> lock(*monitor);
  return group.is_going ? NoGroup(topic_name, name) : Status();
}

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
  const Impl::Turn turn(*impl_);  // Until it ends no topic is destroyed.
  TRY_ASSIGN(const TopicPointer topic, impl_->Find(topic_name));
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
  const Impl::Turn turn(*impl_);
  TRY_ASSIGN(const TopicPointer topic, impl_->Find(topic_name));
  Monitor& monitor = *impl_->monitor;
  std::shared_ptr<QueueGroup> group;
  {
    std::lock_guard<Monitor> lock(monitor);
    const auto found = topic->groups.find(name);
    if (found == topic->groups.end()) return {};
    group = found->second;
    group->is_going = true;
    monitor.NotifyAll();
  }
  const Reading reading(monitor, *group);  // Whoever still reads would write its position again.
  store::MetaTxn txn;
  txn.deletes.push_back(GroupKey(topic_name, name));
  Status forgotten = impl_->parts.meta.Commit(ctx, txn).status();
  std::lock_guard<Monitor> lock(monitor);
  group->is_going = forgotten.ok();
  if (forgotten.ok()) topic->groups.erase(std::string(name));
  return forgotten;
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

// The next messages; waits for some. Under a use of the topic, as the reader of the group.
Result<std::vector<WalRecord>> LogQueue::Impl::AwaitNext(Context& call_ctx,
                                                         std::string_view topic_name,
                                                         LogTopic& topic, QueueGroup& group,
                                                         size_t count, int64_t wait_ms) {
  const int64_t until_us = call_ctx.clock().MonotonicUs() + wait_ms * 1000;
  while (true) {
    uint64_t seen = 0;
    {
      std::lock_guard<Monitor> lock(*monitor);
      seen = topic.appends;
    }
    TRY_ASSIGN(std::vector<WalRecord> messages, ReadNext(call_ctx, topic_name, group, count));
    if (!messages.empty()) return messages;
    std::lock_guard<Monitor> lock(*monitor);
    while (topic.appends == seen) {
      TRY(FindLocked(topic_name).status());
      if (group.is_going) return messages;
      TRY(call_ctx.CheckAlive());
      const int64_t left_ms = (until_us - call_ctx.clock().MonotonicUs()) / 1000;
      if (left_ms <= 0) return messages;
      monitor->WaitFor(std::min(left_ms, kLookMs));
    }
  }
}

// The next messages, with the group's position behind them.
Result<std::vector<WalRecord>> LogQueue::Impl::Take(Context& call_ctx, std::string_view topic_name,
                                                    std::string_view name, size_t count,
                                                    int64_t wait_ms) {
  TRY_ASSIGN(const TopicUse use, Use(topic_name));
  TRY_ASSIGN(const auto group, GroupOf(use.topic(), topic_name, name));
  const Reading reading(*monitor, *group);
  TRY(CheckStays(*group, topic_name, name));
  auto messages = AwaitNext(call_ctx, topic_name, use.topic(), *group, count, wait_ms);
  if (messages.ok() && messages->empty()) {
    TRY(CheckStays(*group, topic_name, name));
    return messages;
  }
  GroupRecord record{.position = 0, .has_read = true};
  Status moved = messages.status();
  if (moved.ok()) {
    record.position = messages->back().position;
    moved = Put(call_ctx, GroupKey(topic_name, name), Encode(record));
  }
  if (!moved.ok()) {
    group->reader.reset();  // They are delivered again.
    return moved;
  }
  std::lock_guard<Monitor> lock(*monitor);
  group->record = record;
  return messages;
}

Result<std::vector<WalRecord>> LogQueue::Consume(Context& ctx, std::string_view topic_name,
                                                 std::string_view name, size_t count,
                                                 int64_t wait_ms) {
  TRY_ASSIGN(auto messages, impl_->Take(ctx, topic_name, name, count, wait_ms));
  if (!messages.empty()) impl_->NoteAcked(ctx, topic_name);
  return messages;
}

// Under a use of the topic.
Status LogQueue::Impl::MoveTo(Context& call_ctx, std::string_view topic_name, const LogTopic& topic,
                              std::string_view name, WalPosition position, bool is_reset) {
  TRY_ASSIGN(const auto group, GroupOf(topic, topic_name, name));
  const Reading reading(*monitor, *group);
  TRY(CheckStays(*group, topic_name, name));
  if (group->record.has_read && (is_reset || position < group->record.position)) {
    return Error(ErrorCode::kInternal, "group {} of topic {} has read up to {}: it cannot go back",
                 name, topic_name, group->record.position);
  }
  GroupRecord record = group->record;
  record.position = position;
  TRY(Put(call_ctx, GroupKey(topic_name, name), Encode(record)));
  group->reader.reset();
  std::lock_guard<Monitor> lock(*monitor);
  group->record = record;
  return {};
}

// What the groups have read by now counts for the retention. Where it cannot be written down the
// next look at the topic does it.
void LogQueue::Impl::NoteAcked(Context& call_ctx, std::string_view name) {
  if (!HasRules()) return;
  const Turn turn(*this);
  const TopicPointer topic = Known(name);
  if (topic == nullptr || topic->record.is_being_destroyed) return;
  const Status noted = MarkAcked(call_ctx, name, *topic);
  if (!noted.ok()) LogWarn("acks were not noted topic={} error=\"{}\"", name, noted.ToString());
}

Status LogQueue::Seek(Context& ctx, std::string_view topic, std::string_view group,
                      WalPosition message) {
  {
    TRY_ASSIGN(const TopicUse use, impl_->Use(topic));
    TRY_ASSIGN(const bool is_there, impl_->Has(ctx, topic, message));
    TRY(impl_->MoveTo(ctx, topic, use.topic(), group, is_there ? message - 1 : 0,
                      /*is_reset=*/!is_there));
  }
  impl_->NoteAcked(ctx, topic);
  return {};
}

Status LogQueue::SeekToLatest(Context& ctx, std::string_view topic, std::string_view group) {
  {
    TRY_ASSIGN(const TopicUse use, impl_->Use(topic));
    TRY_ASSIGN(const WalPosition last, impl_->parts.wal.LastPosition(ctx, topic));
    TRY(impl_->MoveTo(ctx, topic, use.topic(), group, last, /*is_reset=*/false));
  }
  impl_->NoteAcked(ctx, topic);
  return {};
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
