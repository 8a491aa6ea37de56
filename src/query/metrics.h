// What a query node counts and measures, for whoever looks after the server.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"

namespace elanus::query {

/// Finding rows in sealed segments, and making the answer of them; `type` is "search" or "query".
void CountCore(std::string_view type, int64_t us);
void CountReduce(std::string_view type, int64_t us);
/// An answer without segments that cannot be read.
void CountPartial(std::string_view type, CollectionId collection);
void CountLoad(int64_t us);

}  // namespace elanus::query
