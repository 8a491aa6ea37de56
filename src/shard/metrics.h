// What a shard's reads count and measure, for whoever looks after the server.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace elanus::shard {

/// `type` is "search" or "query".
void CountWait(std::string_view type, int64_t us);
/// The whole of a read of one shard.
void CountRead(std::string_view type, const Status& status, int64_t us);
/// What a search asks for.
void CountSearch(size_t nq, size_t top_k);

}  // namespace elanus::shard
