// A bounded map of things that wait to be taken up again, and go when nobody does for too long.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace elanus {

/// `Value` is a pointer: an empty one says that there is nothing. Times are in milliseconds of any
/// clock that does not go back. Values are freed outside the lock. Thread-safe.
template <class Key, class Value>
class IdleMap {
 public:
  /// Holds up to `size_max` values; with 0 nothing is ever kept.
  IdleMap(int64_t size_max, int64_t idle_ms_max) : size_max_(size_max), idle_ms_max_(idle_ms_max) {}

  /// The value leaves the map.
  Value Take(const Key& key) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return {};
    Value value = std::move(found->second.value);
    entries_.erase(found);
    return value;
  }

  /// A copy of the value, which stays and counts as used now.
  Value Find(const Key& key, int64_t now_ms) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return {};
    found->second.used_ms = now_ms;
    return found->second.value;
  }

  /// In place of what the key had. A full map lets go of the value that was used longest ago.
  void Put(const Key& key, Value value, int64_t now_ms) {
    if (size_max_ == 0) return;
    Value dropped{};  // Freed after the lock.
    std::lock_guard<std::mutex> lock(mutex_);
    if (entries_.size() >= static_cast<size_t>(size_max_) && entries_.count(key) == 0) {
      const auto oldest = std::min_element(
          entries_.begin(), entries_.end(),
          [](const auto& a, const auto& b) { return a.second.used_ms < b.second.used_ms; });
      dropped = std::move(oldest->second.value);
      entries_.erase(oldest);
    }
    Entry& entry = entries_[key];
    std::swap(entry.value, value);
    entry.used_ms = now_ms;
    has_any_ = true;
  }

  /// Lets go of the values that have waited for too long. Costs nothing without any.
  void DropIdle(int64_t now_ms) {
    if (!has_any_.load(std::memory_order_relaxed)) return;
    DropIf(
        [&](const Key&, const Value&, int64_t used_ms) { return used_ms < now_ms - idle_ms_max_; });
  }

  /// Lets go of the values for which `goes(key, value, used_ms)` is true.
  template <class Goes>
  void DropIf(const Goes& goes) {
    std::vector<Value> dropped;  // Freed after the lock.
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(entries_, [&](auto& entry) {
      if (!goes(entry.first, entry.second.value, entry.second.used_ms)) return false;
      dropped.push_back(std::move(entry.second.value));
      return true;
    });
    has_any_ = !entries_.empty();
  }

 private:
  struct Entry {
    Value value{};
    int64_t used_ms = 0;
  };

  const int64_t size_max_;
  const int64_t idle_ms_max_;
  std::mutex mutex_;
  std::map<Key, Entry> entries_;      // Guarded by mutex_.
  std::atomic<bool> has_any_{false};  // A hint.
};

}  // namespace elanus
