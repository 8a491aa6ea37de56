// What the queue on the log consists of. Private to it.
//
// Invariants: (1) what is in memory about topics, groups and acks stands in the metadata; it is
// committed there first. (2) Changes of topics and of what is kept of them take turns; a group is
// read by one caller at a time; nobody waits for the disk under the monitor. (3) A topic that is
// being destroyed is marked so before its messages go, so that a crash cannot leave groups without
// their messages, or messages that a new topic of that name would inherit. (4) Its messages go once
// nobody is at them any more (TopicUse): otherwise what was under way would reach a new topic of
// that name. (5) Who is at a topic, or reads a group, takes no turn: whoever destroys waits for
// both in a turn.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backend/log_queue.h"
#include "backend/queue/topic.h"

namespace elanus::backend {

inline std::string TopicKey(std::string_view topic) { return fmt::format("{}{}", kTopics, topic); }
inline std::string GroupKey(std::string_view topic, std::string_view group) {
  return fmt::format("{}{}/{}", kGroups, topic, group);
}
inline std::string AckKey(std::string_view topic, WalPosition end) {
  return fmt::format("{}{}/{:020}", kAcks, topic, end);
}

inline Status CheckName(std::string_view what, std::string_view name) {
  if (!name.empty() && !name.starts_with('.') && name.find('/') == std::string_view::npos) {
    return {};
  }
  return Invalid("the name of a {} should not be empty, begin with '.' or hold a '/': '{}'", what,
                 name);
}

inline Status NoTopic(std::string_view topic) {
  return Error(ErrorCode::kTopicNotFound, "{}[topic={}]", InfoOf(ErrorCode::kTopicNotFound).name,
               topic);
}

inline Status NoGroup(std::string_view topic, std::string_view group) {
  return Error(store::kConsumerGroup, "topic {} has no group {}", topic, group);
}

struct LogQueue::Impl {
  // The log as its writer sees it.
  class Log final : public store::Wal {
   public:
    explicit Log(Impl& queue) : queue_(queue), wal_(queue.parts.wal) {}
    Result<std::vector<WalPosition>> Append(Context& ctx, std::string_view stream,
                                            std::span<const std::string_view> records) override;
    Result<std::unique_ptr<store::WalReader>> Read(Context& ctx, std::string_view stream,
                                                   WalPosition after) override;
    Status Truncate(Context& ctx, std::string_view stream, WalPosition position) override;
    Result<std::vector<store::WalPage>> Pages(Context& ctx, std::string_view stream) override;
    Status Remove(Context& ctx, std::string_view stream) override;
    Result<WalPosition> LastPosition(Context& ctx, std::string_view stream) override;

   private:
    Impl& queue_;
    store::Wal& wal_;
  };

  const Parts parts;
  const QueueOptions options;
  Context ctx;  // Of the worker; cancelled at the end.
  Log log{*this};

  std::unique_ptr<Monitor> monitor;  // Guards the members below and all topics.
  std::map<std::string, TopicPointer, std::less<>> topics;
  bool is_changing = false;  // Somebody has the turn.
  bool closed = false;
  bool stopping = false;
  std::unique_ptr<Worker> worker;

  Impl(const Parts& p, const QueueOptions& o)
      : parts(p), options(o), ctx(p.clock), monitor(p.executor.MakeMonitor()) {}

  bool HasRules() const { return options.retention_min >= 0 || options.retention_mb >= 0; }

  /// One at a time changes what topics there are and what is kept of them.
  class Turn {
   public:
    explicit Turn(Impl& queue) : queue_(queue) {
      std::lock_guard<Monitor> lock(*queue_.monitor);
      while (queue_.is_changing) queue_.monitor->Wait();
      queue_.is_changing = true;
    }
    ~Turn() {
      std::lock_guard<Monitor> lock(*queue_.monitor);
      queue_.is_changing = false;
      queue_.monitor->NotifyAll();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Impl& queue_;
  };

  Status CheckOpenLocked() const {
    if (!closed) return {};
    return Status(ErrorCode::kServiceUnavailable, "the queue is closed");
  }
  Result<TopicPointer> Find(std::string_view name) {
    std::lock_guard<Monitor> lock(*monitor);
    return FindLocked(name);
  }
  Result<TopicPointer> FindLocked(std::string_view name) {
    TRY(CheckOpenLocked());
    const auto found = topics.find(name);
    if (found == topics.end() || found->second->record.is_being_destroyed) return NoTopic(name);
    return found->second;
  }
  /// Errors: as Find.
  Result<TopicUse> Use(std::string_view name) {
    std::lock_guard<Monitor> lock(*monitor);
    TRY_ASSIGN(TopicPointer topic, FindLocked(name));
    return TopicUse(*monitor, std::move(topic));
  }
  /// Also one that is being destroyed; null: none.
  TopicPointer Known(std::string_view name) {
    std::lock_guard<Monitor> lock(*monitor);
    const auto found = topics.find(name);
    return found == topics.end() ? nullptr : found->second;
  }
  void Announce(LogTopic& topic) {
    std::lock_guard<Monitor> lock(*monitor);
    ++topic.appends;
    monitor->NotifyAll();
  }
  Status Put(Context& call_ctx, std::string key, std::string value) {
    store::MetaTxn txn;
    txn.puts.emplace_back(std::move(key), std::move(value));
    return parts.meta.Commit(call_ctx, txn).status();
  }

  Status Load(Context& call_ctx);
  void Loop();
  Result<TopicPointer> StreamTopic(Context& call_ctx, std::string_view name);
  Result<TopicPointer> Create(Context& call_ctx, std::string_view name, bool is_log);
  Status Destroy(Context& call_ctx, const std::string& name, LogTopic& topic);
  Status Release(Context& call_ctx, std::string_view name, WalPosition position);
  Result<WalPosition> StartOf(Context& call_ctx, std::string_view topic, const QueueStart& start);
  Result<std::shared_ptr<QueueGroup>> GroupOf(const LogTopic& topic, std::string_view topic_name,
                                              std::string_view name);
  Status CheckStays(const QueueGroup& group, std::string_view topic_name, std::string_view name);
  Result<bool> Has(Context& call_ctx, std::string_view topic, WalPosition message);
  Result<std::vector<WalRecord>> ReadNext(Context& call_ctx, std::string_view topic,
                                          QueueGroup& group, size_t count);
  Result<std::vector<WalRecord>> Take(Context& call_ctx, std::string_view topic,
                                      std::string_view group, size_t count, int64_t wait_ms);
  Result<std::vector<WalRecord>> AwaitNext(Context& call_ctx, std::string_view topic,
                                           LogTopic& state, QueueGroup& group, size_t count,
                                           int64_t wait_ms);
  Status MoveTo(Context& call_ctx, std::string_view topic, const LogTopic& state,
                std::string_view group, WalPosition position, bool is_reset);
  void NoteAcked(Context& call_ctx, std::string_view name);
  Status MarkAcked(Context& call_ctx, std::string_view name, LogTopic& topic);
  WalPosition AckedByAllLocked(const LogTopic& topic) const;
  Status RetainTopic(Context& call_ctx, std::string_view name, LogTopic& topic);
  std::vector<std::pair<std::string, TopicPointer>> AllTopics();
};

}  // namespace elanus::backend
