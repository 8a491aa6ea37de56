// How long rows of a collection live: the property collection.ttl.seconds.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "base/timestamp.h"
#include "model/schema.h"

namespace elanus::model {

inline constexpr std::string_view kTimeToLiveKey = "collection.ttl.seconds";

/// Seconds, or 0 when rows live for ever. kInvalidParameter when the property is no integer from -1
/// to 3155760000.
Result<int64_t> TimeToLiveSeconds(const std::vector<KeyValue>& properties);

/// Rows inserted before this moment are past their time at `now_ms`; 0 when there is no such
/// moment.
Timestamp ExpiredBefore(const std::vector<KeyValue>& properties, int64_t now_ms);

}  // namespace elanus::model
