// What the queue on the log consists of. Private to it.
//
// Invariants: (1) what is in memory about topics, groups and acks stands in the metadata; it is
// committed there first. (2) Changes of topics and of what is kept of them take turns; a group is
// read by one caller at a time; nobody waits for the disk under the monitor. (3) A topic that is
// being destroyed is marked so before its messages go, so that a crash cannot leave groups without
// their messages, or messages that a new topic of that name would inherit.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backend/log_queue.h"
#include "base/fields.h"

namespace elanus::backend {

using store::QueueStart;
using store::WalPosition;
using store::WalRecord;

inline constexpr std::string_view kTopics = "queue/topic/";
inline constexpr std::string_view kGroups = "queue/group/";
inline constexpr std::string_view kAcks = "queue/ack/";

struct TopicRecord {
  int64_t created_ms = 0;  // This and is_log never change, so they are read without the monitor.
  bool is_log = false;     // A stream of the log: its writer says what may go.
  bool is_being_destroyed = false;
  WalPosition released = 0;  // Of a log: its writer needs nothing up to here.
  template <class V>
  void Fields(V& v) {
    v(1, "created_ms", created_ms);
    v(2, "is_log", is_log);
    v(3, "is_being_destroyed", is_being_destroyed);
    v(4, "released", released);
  }
};

struct GroupRecord {
  WalPosition position = 0;
  bool has_read = false;
  template <class V>
  void Fields(V& v) {
    v(1, "position", position);
    v(2, "has_read", has_read);
  }
};

struct AckRecord {
  int64_t at_ms = 0;
  template <class V>
  void Fields(V& v) {
    v(1, "at_ms", at_ms);
  }
};

struct QueueGroup {
  GroupRecord record;
  bool is_read = false;                      // By the caller that set it, who owns the reader.
  std::unique_ptr<store::WalReader> reader;  // Null: to be opened behind the position.
};

struct LogTopic {
  TopicRecord record;
  std::map<std::string, std::shared_ptr<QueueGroup>, std::less<>> groups;
  std::map<WalPosition, int64_t> acked_ms;  // By the last message of the page.
  uint64_t appends = 0;
};
using TopicPointer = std::shared_ptr<LogTopic>;

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
  Result<bool> Has(Context& call_ctx, std::string_view topic, WalPosition message);
  Result<std::vector<WalRecord>> ReadNext(Context& call_ctx, std::string_view topic,
                                          QueueGroup& group, size_t count);
  Status MoveTo(Context& call_ctx, std::string_view topic, std::string_view group,
                WalPosition position, bool is_reset);
  Status MarkAcked(Context& call_ctx, std::string_view name, LogTopic& topic);
  WalPosition AckedByAllLocked(const LogTopic& topic) const;
  Status RetainTopic(Context& call_ctx, std::string_view name, LogTopic& topic);
  std::vector<std::pair<std::string, TopicPointer>> AllTopics();
};

}  // namespace elanus::backend
