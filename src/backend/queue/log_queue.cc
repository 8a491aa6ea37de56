// The queue on the log: its topics.
#include <algorithm>

#include "backend/queue/impl.h"
#include "base/log.h"

namespace elanus::backend {
namespace {
constexpr int64_t kTickMs = 1000;
}  // namespace

LogQueue::LogQueue(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<LogQueue>> LogQueue::Open(Context& ctx, const Parts& parts,
                                                 const QueueOptions& options) {
  auto impl = std::make_unique<Impl>(parts, options);
  TRY(impl->Load(ctx));
  if (impl->HasRules()) {
    impl->worker = parts.executor.Spawn("log-retention", [i = impl.get()] { i->Loop(); });
  }
  return std::unique_ptr<LogQueue>(new LogQueue(std::move(impl)));
}

LogQueue::~LogQueue() {
  Close();
  impl_->ctx.Cancel();
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    impl_->stopping = true;
    impl_->monitor->NotifyAll();
  }
  impl_->worker.reset();
}

store::Wal& LogQueue::log() { return impl_->log; }

void LogQueue::Close() {
  std::lock_guard<Monitor> lock(*impl_->monitor);
  impl_->closed = true;
  impl_->monitor->NotifyAll();
}

Status LogQueue::Impl::Load(Context& call_ctx) {
  TRY_ASSIGN(const auto topic_pairs, parts.meta.Scan(call_ctx, kTopics));
  for (const auto& [key, value] : topic_pairs) {
    auto topic = std::make_shared<LogTopic>();
    TRY_ASSIGN(topic->record, Decode<TopicRecord>(value));
    topics[key.substr(kTopics.size())] = std::move(topic);
  }
  const auto split = [](std::string_view rest) {
    const size_t slash = rest.find('/');
    return std::pair(rest.substr(0, slash), rest.substr(slash + 1));
  };
  TRY_ASSIGN(const auto group_pairs, parts.meta.Scan(call_ctx, kGroups));
  for (const auto& [key, value] : group_pairs) {
    const auto [name, group_name] = split(std::string_view(key).substr(kGroups.size()));
    auto group = std::make_shared<QueueGroup>();
    TRY_ASSIGN(group->record, Decode<GroupRecord>(value));
    if (const auto topic = topics.find(name); topic != topics.end()) {
      topic->second->groups[std::string(group_name)] = std::move(group);
    }
  }
  TRY_ASSIGN(const auto ack_pairs, parts.meta.Scan(call_ctx, kAcks));
  for (const auto& [key, value] : ack_pairs) {
    const auto [name, end] = split(std::string_view(key).substr(kAcks.size()));
    TRY_ASSIGN(const auto ack, Decode<AckRecord>(value));
    if (const auto topic = topics.find(name); topic != topics.end()) {
      topic->second->acked_ms[std::stoull(std::string(end))] = ack.at_ms;
    }
  }
  for (const auto& [name, topic] : AllTopics()) {
    if (topic->record.is_being_destroyed) TRY(Destroy(call_ctx, name, *topic));
  }
  return {};
}

std::vector<std::pair<std::string, TopicPointer>> LogQueue::Impl::AllTopics() {
  std::lock_guard<Monitor> lock(*monitor);
  return {topics.begin(), topics.end()};
}

void LogQueue::Impl::Loop() {
  int64_t next_us = parts.clock.MonotonicUs() + options.retention_interval_s * 1'000'000;
  while (true) {
    {
      std::lock_guard<Monitor> lock(*monitor);
      if (!stopping) monitor->WaitFor(kTickMs);
      if (stopping) return;
    }
    if (parts.clock.MonotonicUs() < next_us) continue;
    next_us = parts.clock.MonotonicUs() + options.retention_interval_s * 1'000'000;
    for (const auto& [name, topic] : AllTopics()) {
      const Turn turn(*this);
      const Status status = RetainTopic(ctx, name, *topic);
      if (!status.ok()) {
        LogWarn("retention of the log failed stream={} error=\"{}\"", name, status.ToString());
      }
    }
  }
}

Result<TopicPointer> LogQueue::Impl::StreamTopic(Context& call_ctx, std::string_view name) {
  {
    std::lock_guard<Monitor> lock(*monitor);
    if (const auto found = topics.find(name); found != topics.end()) return found->second;
  }
  TRY(CheckName("topic", name));
  return Create(call_ctx, name, /*is_log=*/true);
}

Result<TopicPointer> LogQueue::Impl::Create(Context& call_ctx, std::string_view name, bool is_log) {
  const Turn turn(*this);
  if (const TopicPointer known = Known(name); known != nullptr) {
    if (!known->record.is_being_destroyed) return known;
    TRY(Destroy(call_ctx, std::string(name), *known));  // Begun before, and not finished.
  }
  auto topic = std::make_shared<LogTopic>();
  topic->record = {.created_ms = parts.clock.NowMs(), .is_log = is_log};
  TRY(Put(call_ctx, TopicKey(name), Encode(topic->record)));
  std::lock_guard<Monitor> lock(*monitor);
  topics[std::string(name)] = topic;
  return topic;
}

Status LogQueue::CreateTopic(Context& ctx, std::string_view topic) {
  TRY(CheckName("topic", topic));
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    TRY(impl_->CheckOpenLocked());
  }
  return impl_->Create(ctx, topic, /*is_log=*/false).status();
}

Status LogQueue::DestroyTopic(Context& ctx, std::string_view name) {
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    TRY(impl_->CheckOpenLocked());
  }
  const Impl::Turn turn(*impl_);
  const TopicPointer topic = impl_->Known(name);
  if (topic == nullptr) return {};
  if (topic->record.is_log) {
    return Invalid("{} is a stream of the log: what is acknowledged may be in it alone", name);
  }
  TopicRecord record = topic->record;
  record.is_being_destroyed = true;
  TRY(impl_->Put(ctx, TopicKey(name), Encode(record)));
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    topic->record.is_being_destroyed = true;
    impl_->monitor->NotifyAll();
  }
  return impl_->Destroy(ctx, std::string(name), *topic);
}

// In a turn, of a topic that is marked.
Status LogQueue::Impl::Destroy(Context& call_ctx, const std::string& name, LogTopic& topic) {
  {
    std::lock_guard<Monitor> lock(*monitor);
    while (topic.uses > 0) monitor->Wait();
  }
  TRY(parts.wal.Remove(call_ctx, name));
  store::MetaTxn txn;
  txn.deletes.push_back(TopicKey(name));
  {
    std::lock_guard<Monitor> lock(*monitor);
    for (const auto& [group, state] : topic.groups) txn.deletes.push_back(GroupKey(name, group));
    for (const auto& [end, at_ms] : topic.acked_ms) txn.deletes.push_back(AckKey(name, end));
  }
  TRY(parts.meta.Commit(call_ctx, txn).status());
  std::lock_guard<Monitor> lock(*monitor);
  topics.erase(name);
  return {};
}

Result<std::vector<store::QueueTopic>> LogQueue::Topics(Context& ctx) {
  std::vector<store::QueueTopic> told;
  for (const auto& [name, listed] : impl_->AllTopics()) {
    const auto use = impl_->Use(name);
    if (use.status().code() == ErrorCode::kTopicNotFound) continue;  // Destroyed meanwhile.
    TRY(use.status());
    const LogTopic& topic = use->topic();
    store::QueueTopic one{.name = name, .created_ms = topic.record.created_ms};
    TRY_ASSIGN(one.last, impl_->parts.wal.LastPosition(ctx, name));
    TRY_ASSIGN(const auto pages, impl_->parts.wal.Pages(ctx, name));
    std::lock_guard<Monitor> lock(*impl_->monitor);
    TRY(impl_->CheckOpenLocked());
    for (const store::WalPage& page : pages) {
      const auto acked = topic.acked_ms.find(page.last);
      one.pages.push_back({.end = page.last, .bytes = page.bytes, .is_closed = page.is_closed});
      if (page.is_closed && acked != topic.acked_ms.end()) {
        one.pages.back().acked_at_ms = acked->second;
      }
    }
    for (const auto& [group, state] : topic.groups) {
      one.positions.emplace_back(group, state->record.position);
    }
    told.push_back(std::move(one));
  }
  return told;
}

Result<std::vector<WalPosition>> LogQueue::Produce(Context& ctx, std::string_view name,
                                                   std::span<const std::string_view> messages) {
  TRY_ASSIGN(const TopicUse use, impl_->Use(name));
  if (messages.empty()) return Invalid("a batch of messages is empty");
  if (use.topic().record.is_log) return Invalid("{} is a stream of the log: it has a writer", name);
  TRY_ASSIGN(auto positions, impl_->parts.wal.Append(ctx, name, messages));
  impl_->Announce(use.topic());
  return positions;
}

// The log.

Result<std::vector<WalPosition>> LogQueue::Impl::Log::Append(
    Context& ctx, std::string_view stream, std::span<const std::string_view> records) {
  TRY_ASSIGN(const TopicPointer topic, queue_.StreamTopic(ctx, stream));
  TRY_ASSIGN(auto positions, wal_.Append(ctx, stream, records));
  queue_.Announce(*topic);
  return positions;
}

Result<std::unique_ptr<store::WalReader>> LogQueue::Impl::Log::Read(Context& ctx,
                                                                    std::string_view stream,
                                                                    WalPosition after) {
  return wal_.Read(ctx, stream, after);
}

Status LogQueue::Impl::Log::Truncate(Context& ctx, std::string_view stream, WalPosition position) {
  if (!queue_.HasRules()) return wal_.Truncate(ctx, stream, position);
  return queue_.Release(ctx, stream, position);
}

Result<std::vector<store::WalPage>> LogQueue::Impl::Log::Pages(Context& ctx,
                                                               std::string_view stream) {
  return wal_.Pages(ctx, stream);
}

Status LogQueue::Impl::Log::Remove(Context& ctx, std::string_view stream) {
  return wal_.Remove(ctx, stream);
}

Result<WalPosition> LogQueue::Impl::Log::LastPosition(Context& ctx, std::string_view stream) {
  return wal_.LastPosition(ctx, stream);
}

}  // namespace elanus::backend
