// Properties of a collection that may change while it lives.
#include <algorithm>

#include "model/time_to_live.h"
#include "proxy/checks.h"
#include "proxy/ops.h"

namespace elanus::proxy {
namespace {

constexpr std::string_view kAutoCompactionKey = "collection.autocompaction.enabled";

// How its columns and indexes are held, which can change only while nothing of it is.
bool IsLoadKey(std::string_view key) { return key == "mmap.enabled" || key.starts_with("warmup."); }

Status CheckLoadValue(const model::KeyValue& property) {
  if (property.key == "mmap.enabled") return ParseBool(property.key, property.value).status();
  for (std::string_view known :
       {"warmup.scalarField", "warmup.scalarIndex", "warmup.vectorField", "warmup.vectorIndex"}) {
    if (property.key != known) continue;
    const std::string& value = property.value;
    if (value == "disable" || value == "sync" || value == "async") return {};
    return Invalid("{} should be one of disable, sync, async, got {}", property.key, value);
  }
  return Invalid("unknown warmup property: {}", property.key);
}

// The properties as they will be.
std::vector<model::KeyValue> Altered(std::vector<model::KeyValue> properties,
                                     const std::vector<model::KeyValue>& set) {
  for (const model::KeyValue& property : set) model::Put(properties, property.key, property.value);
  return properties;
}

Status CheckAlterable(std::string_view key) {
  if (key == model::kTimeToLiveKey || key == kAutoCompactionKey || key == roles::kDescriptionKey) {
    return {};
  }
  if (key == model::kExpiryFieldKey || IsLoadKey(key)) return {};
  for (std::string_view fixed : {"collection.external_source", "collection.external_spec",
                                 "namespace.mode", "namespace.sharding.enabled"}) {
    if (key == fixed) return Invalid("property {} cannot be altered", key);
  }
  return Error(ErrorCode::kUnimplemented, "altering the property {} is not supported yet", key);
}

}  // namespace

Status AlterCollection(Context& ctx, Services& services, const model::CollectionName& name,
                       const std::vector<model::KeyValue>& set,
                       const std::vector<std::string>& remove) {
  if (!set.empty() && !remove.empty()) {
    return Invalid("cannot provide both properties and delete keys at the same time");
  }
  if (set.empty() && remove.empty()) return Invalid("no properties or delete keys provided");
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  for (const model::KeyValue& property : set) {
    TRY(CheckAlterable(property.key));
    if (IsLoadKey(property.key)) TRY(CheckLoadValue(property));
    if (property.key == kAutoCompactionKey) {
      TRY(ParseBool(property.key, property.value).status());
    }
    const auto limit = static_cast<size_t>(services.options.description_bytes_max);
    if (property.key == roles::kDescriptionKey && property.value.size() > limit) {
      return Invalid("the description may have {} bytes, got {}", limit, property.value.size());
    }
  }
  TRY(model::CheckTimeToLive(Altered(collection->properties, set), collection->schema));
  for (const std::string& key : remove) TRY(CheckAlterable(key));
  const bool changes_load =
      std::any_of(set.begin(), set.end(), [](const auto& kv) { return IsLoadKey(kv.key); }) ||
      std::any_of(remove.begin(), remove.end(), [](const auto& key) { return IsLoadKey(key); });
  if (changes_load && collection->loaded) {
    return Error(ErrorCode::kCollectionLoaded,
                 "{}[collection={}]: mmap and warmup can be altered once it is released",
                 InfoOf(ErrorCode::kCollectionLoaded).name, collection->schema.name);
  }
  TRY(services.coord.catalog.AlterProperties(ctx, collection->id, set, remove));
  // The shards read by the new description from their next version of it on.
  return services.streaming.SyncLoaded(ctx, collection->id);
}

}  // namespace elanus::proxy
