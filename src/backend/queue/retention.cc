// The queue on the log: what may go, and what goes.
#include <algorithm>

#include "backend/queue/impl.h"

namespace elanus::backend {

Status LogQueue::Truncate(Context& ctx, std::string_view topic, WalPosition position) {
  {
    TRY_ASSIGN(const TopicUse use, impl_->Use(topic));
    if (!use.topic().record.is_log) return impl_->parts.wal.Truncate(ctx, topic, position);
  }
  return impl_->log.Truncate(ctx, topic, position);
}

// The log's writer needs nothing up to here.
Status LogQueue::Impl::Release(Context& call_ctx, std::string_view name, WalPosition position) {
  TRY_ASSIGN(const TopicPointer topic, StreamTopic(call_ctx, name));
  if (!topic->record.is_log) return parts.wal.Truncate(call_ctx, name, position);
  const Turn turn(*this);
  TopicRecord record = topic->record;
  record.released = std::max(record.released, position);
  TRY(Put(call_ctx, TopicKey(name), Encode(record)));
  {
    std::lock_guard<Monitor> lock(*monitor);
    topic->record.released = record.released;
  }
  TRY(MarkAcked(call_ctx, name, *topic));
  return RetainTopic(call_ctx, name, *topic);
}

// A log is held by nobody but its writer: a group that sleeps must not fill the disk.
WalPosition LogQueue::Impl::AckedByAllLocked(const LogTopic& topic) const {
  if (topic.record.is_log) return topic.record.released;
  if (topic.groups.empty()) return 0;
  WalPosition acked = UINT64_MAX;
  for (const auto& [name, group] : topic.groups) acked = std::min(acked, group->record.position);
  return acked;
}

// In the caller's turn. A page that the last group has left counts as read from now on.
Status LogQueue::Impl::MarkAcked(Context& call_ctx, std::string_view name, LogTopic& topic) {
  if (!HasRules()) return {};
  TRY_ASSIGN(const auto pages, parts.wal.Pages(call_ctx, name));
  const int64_t now_ms = parts.clock.NowMs();
  store::MetaTxn txn;
  std::vector<WalPosition> ends;
  {
    std::lock_guard<Monitor> lock(*monitor);
    const WalPosition acked = AckedByAllLocked(topic);
    for (const store::WalPage& page : pages) {
      if (!page.is_closed || page.last > acked || topic.acked_ms.count(page.last) > 0) continue;
      ends.push_back(page.last);
      txn.puts.emplace_back(AckKey(name, page.last), Encode(AckRecord{.at_ms = now_ms}));
    }
  }
  if (ends.empty()) return {};
  TRY(parts.meta.Commit(call_ctx, txn).status());
  std::lock_guard<Monitor> lock(*monitor);
  for (WalPosition end : ends) topic.acked_ms[end] = now_ms;
  return {};
}

// In the caller's turn.
Status LogQueue::Impl::RetainTopic(Context& call_ctx, std::string_view name, LogTopic& topic) {
  if (!HasRules() || topic.record.is_being_destroyed) return {};
  TRY(MarkAcked(call_ctx, name, topic));
  TRY_ASSIGN(const auto pages, parts.wal.Pages(call_ctx, name));
  const int64_t now_ms = parts.clock.NowMs();
  WalPosition cut = 0;
  store::MetaTxn forgotten;
  std::vector<WalPosition> ends;
  {
    std::lock_guard<Monitor> lock(*monitor);
    int64_t kept_bytes = 0;
    for (const store::WalPage& page : pages) {
      if (page.is_closed && topic.acked_ms.count(page.last) > 0) kept_bytes += page.bytes;
    }
    for (const store::WalPage& page : pages) {
      const auto acked = topic.acked_ms.find(page.last);
      if (!page.is_closed || acked == topic.acked_ms.end()) break;
      const bool is_old =
          options.retention_min >= 0 && now_ms - acked->second > options.retention_min * 60'000;
      const bool is_much = options.retention_mb >= 0 && kept_bytes > (options.retention_mb << 20);
      if (!is_old && !is_much) break;
      cut = page.last;
      kept_bytes -= page.bytes;
    }
    for (const auto& [end, at_ms] : topic.acked_ms) {
      if (end > cut) break;
      ends.push_back(end);
      forgotten.deletes.push_back(AckKey(name, end));
    }
  }
  if (cut == 0) return {};
  TRY(parts.wal.Truncate(call_ctx, name, cut));
  TRY(parts.meta.Commit(call_ctx, forgotten).status());
  std::lock_guard<Monitor> lock(*monitor);
  for (WalPosition end : ends) topic.acked_ms.erase(end);
  return {};
}

Status LogQueue::Retain(Context& ctx) {
  {
    std::lock_guard<Monitor> lock(*impl_->monitor);
    TRY(impl_->CheckOpenLocked());
  }
  for (const auto& [name, topic] : impl_->AllTopics()) {
    const Impl::Turn turn(*impl_);
    TRY(impl_->RetainTopic(ctx, name, *topic));
  }
  return {};
}

}  // namespace elanus::backend
