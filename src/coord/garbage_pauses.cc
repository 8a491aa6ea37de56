// Pauses of garbage collection.
#include "coord/garbage_pauses.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/log.h"

namespace elanus::coord {
namespace {

constexpr int64_t kSecondsMax = 3'155'760'000;  // 100 years.

// Keys are "<kind>/<collection>/...".
bool IsOf(std::string_view key, CollectionId collection) {
  const size_t begin = key.find('/');
  if (begin == std::string_view::npos) return false;
  const std::string_view rest = key.substr(begin + 1);
  return rest.substr(0, rest.find('/')) == std::to_string(collection.value());
}

}  // namespace

Result<std::string> GarbagePauses::Pause(int64_t seconds, CollectionId collection) {
  if (seconds < 1 || seconds > kSecondsMax) {
    return Invalid("pause_seconds should be from 1 to {}, got {}", kSecondsMax, seconds);
  }
  const int64_t now_us = clock_.MonotonicUs();
  std::lock_guard<Monitor> lock(*monitor_);
  // Its time makes it another one than those of the processes before.
  std::string ticket = fmt::format("{}-{}-{}", collection.value(), clock_.NowMs(), ++tickets_);
  held_[ticket] = {.collection = collection, .until_us = now_us + seconds * 1'000'000};
  while (is_removing_) monitor_->Wait();
  LogInfo("garbage collection paused seconds={} collection={} ticket={}", seconds,
          collection.value(), ticket);
  return ticket;
}

Status GarbagePauses::Resume(const std::string& ticket) {
  std::lock_guard<Monitor> lock(*monitor_);
  if (ticket.empty()) {
    LogInfo("garbage collection resumed pauses={}", held_.size());
    held_.clear();
    return {};
  }
  if (held_.erase(ticket) == 0) {
    return Invalid("no pause has this ticket, it may have ended: {}", ticket);
  }
  LogInfo("garbage collection resumed ticket={} pauses_left={}", ticket, held_.size());
  return {};
}

bool GarbagePauses::HoldsLocked(std::string_view key) {
  const int64_t now_us = clock_.MonotonicUs();
  std::erase_if(held_, [&](const auto& entry) { return entry.second.until_us <= now_us; });
  return std::any_of(held_.begin(), held_.end(), [&](const auto& entry) {
    const CollectionId collection = entry.second.collection;
    return collection == CollectionId() || IsOf(key, collection);
  });
}

bool GarbagePauses::Holds(std::string_view key) {
  std::lock_guard<Monitor> lock(*monitor_);
  return HoldsLocked(key);
}

bool GarbagePauses::Begin(std::string_view key) {
  std::lock_guard<Monitor> lock(*monitor_);
  if (HoldsLocked(key)) return false;
  is_removing_ = true;
  return true;
}

void GarbagePauses::End() {
  std::lock_guard<Monitor> lock(*monitor_);
  is_removing_ = false;
  monitor_->NotifyAll();
}

}  // namespace elanus::coord
