// When the growing segments of a shard are sealed though nobody asked for it.
#pragma once

#include "shard/shard.h"
#include "streaming/options.h"

namespace elanus::streaming {

/// They are large, or old, or idle and not tiny. `now_ms`: wall time.
bool SealIsDue(const shard::Shard& shard, const StreamingOptions& options, int64_t now_ms);

}  // namespace elanus::streaming
