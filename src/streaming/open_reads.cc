// Moments of open reads.
#include "streaming/open_reads.h"

#include <algorithm>

namespace elanus::streaming {

void OpenReads::Note(CollectionId collection, Timestamp moment, int64_t now_ms) {
  std::lock_guard<std::mutex> lock(mutex_);
  Seconds& seconds = reads_[collection];
  ForgetIdle(seconds, now_ms);
  const auto [at, is_new] = seconds.emplace(now_ms / 1000, moment);
  if (!is_new) at->second = std::min(at->second, moment);
}

Timestamp OpenReads::Oldest(CollectionId collection, int64_t now_ms) {
  Timestamp oldest = kTimestampMax;
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = reads_.find(collection);
  if (found == reads_.end()) return oldest;
  ForgetIdle(found->second, now_ms);
  for (const auto& [second, moment] : found->second) oldest = std::min(oldest, moment);
  if (found->second.empty()) reads_.erase(found);
  return oldest;
}

// The second in which the time ends counts in full.
void OpenReads::ForgetIdle(Seconds& seconds, int64_t now_ms) const {
  seconds.erase(seconds.begin(), seconds.lower_bound(now_ms / 1000 - idle_s_max_));
}

}  // namespace elanus::streaming
