// Time to live.
#include "model/time_to_live.h"

#include <algorithm>
#include <charconv>

namespace elanus::model {
Result<int64_t> TimeToLiveSeconds(const std::vector<KeyValue>& properties) {
  const std::string* text = Find(properties, kTimeToLiveKey);
  if (text == nullptr) return 0;
  int64_t seconds = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size() || seconds < -1 ||
      seconds > kTimeToLiveSecondsMax) {
    return Invalid("{} should be an integer in range [-1, {}], got {}", kTimeToLiveKey,
                   kTimeToLiveSecondsMax, *text);
  }
  return std::max<int64_t>(0, seconds);
}

Timestamp ExpiredBefore(const std::vector<KeyValue>& properties, const ExpiryRule& rule) {
  Result<int64_t> seconds = TimeToLiveSeconds(properties);
  const bool names_none =
      Find(properties, kTimeToLiveKey) == nullptr && Find(properties, kExpiryFieldKey) == nullptr;
  if (names_none) seconds = std::max<int64_t>(0, rule.default_s);
  if (!seconds.ok() || *seconds == 0) return {};
  const int64_t before_ms = rule.now_ms - *seconds * 1000;
  return before_ms <= 0 ? Timestamp() : MakeTimestamp(before_ms);
}

FieldId ExpiryField(const std::vector<KeyValue>& properties, const CollectionSchema& schema) {
  const std::string* name = Find(properties, kExpiryFieldKey);
  const FieldSchema* field = name == nullptr ? nullptr : schema.FindField(*name);
  return field == nullptr || field->type != DataType::kTimestamptz ? FieldId() : field->id;
}

Status CheckTimeToLive(const std::vector<KeyValue>& properties, const CollectionSchema& schema) {
  TRY(TimeToLiveSeconds(properties).status());
  const std::string* name = Find(properties, kExpiryFieldKey);
  if (name == nullptr) return {};
  if (Find(properties, kTimeToLiveKey) != nullptr) {
    return Invalid("{} and {} cannot both be set", kExpiryFieldKey, kTimeToLiveKey);
  }
  const FieldSchema* field = schema.FindField(*name);
  if (field == nullptr) return Invalid("{} names no field: {}", kExpiryFieldKey, *name);
  if (field->type != DataType::kTimestamptz) {
    return Invalid("{} should name a Timestamptz field, {} is {}", kExpiryFieldKey, *name,
                   NameOf(field->type));
  }
  return {};
}

}  // namespace elanus::model
