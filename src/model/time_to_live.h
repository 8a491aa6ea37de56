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

inline constexpr std::string_view kExpiryFieldKey = "ttl_field";

/// The field whose value is the moment until which a row lives; 0 when no property names one.
FieldId ExpiryField(const std::vector<KeyValue>& properties, const CollectionSchema& schema);

/// What the properties say of time to live fits the schema. kInvalidParameter: ttl_field names no
/// Timestamptz field, or both kinds are given.
Status CheckTimeToLive(const std::vector<KeyValue>& properties, const CollectionSchema& schema);

}  // namespace elanus::model
