// What the queue on the log knows of a topic, and who is at it. Private to it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/executor.h"
#include "base/fields.h"
#include "store/queue.h"
#include "store/wal.h"

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
  bool is_going = false;                     // It is being destroyed: nobody reads it any more.
  std::unique_ptr<store::WalReader> reader;  // Null: to be opened behind the position.
};

struct LogTopic {
  TopicRecord record;
  std::map<std::string, std::shared_ptr<QueueGroup>, std::less<>> groups;
  std::map<WalPosition, int64_t> acked_ms;  // By the last message of the page.
  uint64_t appends = 0;
  size_t uses = 0;  // Calls that are at its messages or groups.
};
using TopicPointer = std::shared_ptr<LogTopic>;

/// A call that is at the messages or the groups of a topic: as long as it lasts the topic is not
/// destroyed. Takes no turn meanwhile.
class TopicUse {
 public:
  /// Under the monitor.
  TopicUse(Monitor& monitor, TopicPointer topic) : monitor_(&monitor), topic_(std::move(topic)) {
    ++topic_->uses;
  }
  ~TopicUse() {
    if (topic_ == nullptr) return;
    std::lock_guard<Monitor> lock(*monitor_);
    --topic_->uses;
    if (topic_->record.is_being_destroyed) monitor_->NotifyAll();
  }
  TopicUse(TopicUse&&) = default;
  TopicUse& operator=(TopicUse&&) = delete;

  LogTopic& topic() const { return *topic_; }

 private:
  Monitor* monitor_;
  TopicPointer topic_;
};

/// A group that nobody else reads meanwhile. Takes no turn meanwhile.
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

}  // namespace elanus::backend
