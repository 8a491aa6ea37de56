// When the growing segments of a shard are sealed though nobody asked for it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "shard/shard.h"
#include "streaming/options.h"

namespace elanus::streaming {

/// They are large, or old, or idle and not tiny, or many deletes wait with them; or deletes have
/// waited for long alone. `now_ms`: wall time.
bool SealIsDue(const shard::Shard& shard, const StreamingOptions& options, int64_t now_ms);

/// Which of the shards are sealed for want of memory: those with most bytes, until what grows in
/// the others is no more than `bytes_max` together; 0: none. In ascending order.
std::vector<size_t> SealedForRoom(std::span<const size_t> growing_bytes, size_t bytes_max);

}  // namespace elanus::streaming
