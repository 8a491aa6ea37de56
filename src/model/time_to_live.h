// How long rows of a collection live: the properties collection.ttl.seconds and ttl_field, and what
// holds for collections that have neither.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "base/timestamp.h"
#include "model/schema.h"

namespace elanus::model {

inline constexpr std::string_view kTimeToLiveKey = "collection.ttl.seconds";
inline constexpr int64_t kTimeToLiveSecondsMax = 3'155'760'000;  // 100 years.

/// Seconds, or 0 when rows live for ever. kInvalidParameter when the property is no integer from -1
/// to 3155760000.
Result<int64_t> TimeToLiveSeconds(const std::vector<KeyValue>& properties);

/// What decides besides a collection's own properties.
struct ExpiryRule {
  int64_t now_ms = 0;
  int64_t default_s = -1;  // Of collections that name no age and no field; up to 0: for ever.
};

/// Rows inserted before this moment are past their time; 0 when there is no such moment. A
/// collection whose rows name their own moments has no other age.
Timestamp ExpiredBefore(const std::vector<KeyValue>& properties, const ExpiryRule& rule);

inline constexpr std::string_view kExpiryFieldKey = "ttl_field";

/// The field whose value is the moment until which a row lives; 0 when no property names one.
FieldId ExpiryField(const std::vector<KeyValue>& properties, const CollectionSchema& schema);

/// What the properties say of time to live fits the schema. kInvalidParameter: ttl_field names no
/// Timestamptz field, or both kinds are given.
Status CheckTimeToLive(const std::vector<KeyValue>& properties, const CollectionSchema& schema);

}  // namespace elanus::model
