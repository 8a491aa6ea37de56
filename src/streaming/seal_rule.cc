// When to seal.
#include "streaming/seal_rule.h"

#include <algorithm>
#include <numeric>

namespace elanus::streaming {
namespace {

// Of a shard that has nothing else to write: a seal makes a delta log and no segment, and without
// one the log would be kept, and be replayed, for their sake. Deletes beside growing rows are worth
// a small segment only when they are very many.
bool DeletesAreDue(const shard::PendingDeletes& deletes, const StreamingOptions& options,
                   int64_t now_ms) {
  if (deletes.rows == 0) return false;
  return static_cast<int64_t>(deletes.rows) >= options.deletes_max ||
         static_cast<int64_t>(deletes.bytes) >= options.delete_bytes_max ||
         now_ms - PhysicalMs(deletes.oldest) >= options.delete_s_max * 1000;
}

}  // namespace

bool SealIsDue(const shard::Shard& shard, const StreamingOptions& options, int64_t now_ms) {
  const double mb = static_cast<double>(shard.growing_bytes()) / (1 << 20);
  if (mb >= static_cast<double>(options.segment_mb_max) * options.seal_proportion) return true;
  const Timestamp oldest = shard.oldest_growing();
  const shard::PendingDeletes deletes = shard.pending_deletes();
  if (oldest == Timestamp()) return DeletesAreDue(deletes, options, now_ms);
  if (static_cast<int64_t>(deletes.rows) >= options.deletes_beside_rows_max ||
      static_cast<int64_t>(deletes.bytes >> 20) >= options.delete_mb_beside_rows_max) {
    return true;
  }
  if (now_ms - PhysicalMs(oldest) >= options.growing_s_max * 1000) return true;
  return mb >= static_cast<double>(options.idle_mb_min) &&
         now_ms - PhysicalMs(shard.newest_record()) >= options.idle_s_max * 1000;
}

std::vector<size_t> SealedForRoom(std::span<const size_t> growing_bytes, size_t bytes_max) {
  size_t sum = std::accumulate(growing_bytes.begin(), growing_bytes.end(), size_t{0});
  if (bytes_max == 0 || sum <= bytes_max) return {};
  std::vector<size_t> largest(growing_bytes.size());
  std::iota(largest.begin(), largest.end(), size_t{0});
  std::stable_sort(largest.begin(), largest.end(),
                   [&](size_t a, size_t b) { return growing_bytes[a] > growing_bytes[b]; });
  size_t sealed = 0;
  while (sum > bytes_max) sum -= growing_bytes[largest[sealed++]];
  largest.resize(sealed);
  std::sort(largest.begin(), largest.end());
  return largest;
}

}  // namespace elanus::streaming
