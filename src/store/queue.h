// Topics of messages, each read by any number of groups at their own pace. The log's streams are
// topics, so whoever wants to follow the changes reads them here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "store/wal.h"

namespace elanus::store {

inline constexpr ErrorCode kConsumerGroup{1302};

/// Messages that lie together and go together.
struct QueuePage {
  WalPosition end = 0;  // The last message in it.
  int64_t bytes = 0;
  bool is_closed = false;              // Nothing is added to it any more.
  std::optional<int64_t> acked_at_ms;  // When the last group had read all of it; closed ones only.
};

struct QueueTopic {
  std::string name;
  int64_t created_ms = 0;
  WalPosition last = 0;                                        // Newest message; 0: none yet.
  std::vector<QueuePage> pages;                                // Oldest first.
  std::vector<std::pair<std::string, WalPosition>> positions;  // Of each group, by name.
};

/// Where a new group begins.
struct QueueStart {
  enum class At { kEarliest, kLatest, kMessage };
  At at = At::kEarliest;
  WalPosition message = 0;  // Of kMessage: it is delivered first.
};

/// Thread-safe. Everything lasts when it returns. Errors of all: kTopicNotFound, kIoFailed,
/// kDiskLimitExceeded, kServiceUnavailable once closed.
class Queue {
 public:
  virtual ~Queue() = default;
  /// Again: nothing changes. kInvalidParameter for a name that is empty, begins with a '.' or has a
  /// '/' in it.
  virtual Status CreateTopic(Context& ctx, std::string_view topic) = 0;
  /// With its messages, pages and groups. An unknown one: success.
  virtual Status DestroyTopic(Context& ctx, std::string_view topic) = 0;
  virtual Result<std::vector<QueueTopic>> Topics(Context& ctx) = 0;
  /// All of the batch or none of it, in order. kInvalidParameter for an empty one.
  virtual Result<std::vector<WalPosition>> Produce(Context& ctx, std::string_view topic,
                                                   std::span<const std::string_view> messages) = 0;
  /// kConsumerGroup when the topic has a group of this name; kInvalidParameter, as for topics.
  virtual Status CreateGroup(Context& ctx, std::string_view topic, std::string_view group,
                             const QueueStart& start) = 0;
  /// Unknown: success.
  virtual Status DestroyGroup(Context& ctx, std::string_view topic, std::string_view group) = 0;
  /// The next messages of the group, `count` at most, and its position moves behind them. Without
  /// any it waits for `wait_ms`, then answers none. Messages that retention has removed are passed
  /// over. kConsumerGroup when there is no such group.
  virtual Result<std::vector<WalRecord>> Consume(Context& ctx, std::string_view topic,
                                                 std::string_view group, size_t count,
                                                 int64_t wait_ms) = 0;
  /// The message is delivered next; an unknown one resets a group that has read nothing to the
  /// beginning. kInternal: backwards.
  virtual Status Seek(Context& ctx, std::string_view topic, std::string_view group,
                      WalPosition message) = 0;
  /// Behind the newest message.
  virtual Status SeekToLatest(Context& ctx, std::string_view topic, std::string_view group) = 0;
  /// The last message the group has had. kConsumerGroup.
  virtual Result<WalPosition> Position(Context& ctx, std::string_view topic,
                                       std::string_view group) = 0;
  /// Messages up to `position` may go, whether groups have read them or not.
  virtual Status Truncate(Context& ctx, std::string_view topic, WalPosition position) = 0;
  /// Removes the oldest pages as the retention's rules say; never one that a group has not read.
  virtual Status Retain(Context& ctx) = 0;
  /// From now on everything is refused. Idempotent.
  virtual void Close() = 0;
};

}  // namespace elanus::store
