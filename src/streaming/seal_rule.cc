// When to seal.
#include "streaming/seal_rule.h"

namespace elanus::streaming {

bool SealIsDue(const shard::Shard& shard, const StreamingOptions& options, int64_t now_ms) {
  const double mb = static_cast<double>(shard.growing_bytes()) / (1 << 20);
  if (mb >= static_cast<double>(options.segment_mb_max) * options.seal_proportion) return true;
  const Timestamp oldest = shard.oldest_growing();
  if (oldest == Timestamp()) return false;
  if (now_ms - PhysicalMs(oldest) >= options.growing_s_max * 1000) return true;
  return mb >= static_cast<double>(options.idle_mb_min) &&
         now_ms - PhysicalMs(shard.newest_record()) >= options.idle_s_max * 1000;
}

}  // namespace elanus::streaming
