// The moments of reads that take several requests: the pages of an iterator, a search and the
// reading of what it found. Rows that were there then are not dropped while such a read is open.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "base/ids.h"
#include "base/timestamp.h"

namespace elanus::streaming {

/// Thread-safe. A read is open for as long as its requests come at most `idle_s_max` apart. Memory:
/// one moment for each collection and second of that time.
class OpenReads {
 public:
  explicit OpenReads(int64_t idle_s_max) : idle_s_max_(idle_s_max) {}

  /// A request has read `collection` at `moment`, or is about to.
  void Note(CollectionId collection, Timestamp moment, int64_t now_ms);
  /// The earliest moment of the collection's open reads; kTimestampMax: none is open.
  Timestamp Oldest(CollectionId collection, int64_t now_ms);

 private:
  using Seconds = std::map<int64_t, Timestamp>;  // The earliest moment read in each.

  void ForgetIdle(Seconds& seconds, int64_t now_ms) const;

  const int64_t idle_s_max_;
  std::mutex mutex_;
  std::map<CollectionId, Seconds> reads_;  // Guarded by mutex_.
};

}  // namespace elanus::streaming
