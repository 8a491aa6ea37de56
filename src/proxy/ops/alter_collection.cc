// Properties of a collection that may change while it lives.
#include <array>

#include "model/partition_key.h"
#include "model/time_to_live.h"
#include "proxy/checks.h"
#include "proxy/collection_limits.h"
#include "proxy/load_place.h"
#include "proxy/moments.h"
#include "proxy/ops.h"
#include "proxy/ops/properties.h"
#include "proxy/partition_key.h"
#include "proxy/query_mode.h"

namespace elanus::proxy {
namespace {

constexpr std::string_view kAutoCompactionKey = "collection.autocompaction.enabled";
constexpr std::string_view kInsertAutoIdKey = "allow_insert_auto_id";
constexpr std::string_view kReplicaKey = "collection.replica.number";
constexpr std::string_view kFieldIdsKey = "preserve_field_ids";

// What may be done with a property of a collection that lives.
enum class Kind {
  kText,  // Whatever it says; some are looked at below.
  kBool,
  kWarmUp,       // disable, sync or async.
  kConsistency,  // A level by its number or name.
  kFixed,        // It stays what it was when the collection was made, or is the server's own.
  kFixedBool,
  kFixedMode,  // Of namespaces.
  kNever,      // The server's own, or not of collections: nobody sets it.
  kReplicas,
  kGroups,  // Of nodes, by name.
};

struct Rule {
  std::string_view key;  // One that ends in '.': of all keys that begin with it.
  Kind kind = Kind::kText;
  bool when_released = false;  // It says how columns and indexes are held.
};

constexpr auto kRules = std::to_array<Rule>({
    {kAutoCompactionKey, Kind::kBool},
    {"mmap.enabled", Kind::kBool, true},
    {"warmup.scalarField", Kind::kWarmUp, true},
    {"warmup.scalarIndex", Kind::kWarmUp, true},
    {"warmup.vectorField", Kind::kWarmUp, true},
    {"warmup.vectorIndex", Kind::kWarmUp, true},
    {"warmup", Kind::kNever},  // Of a field.
    {"warmup.", Kind::kNever},
    {model::kIsolationKey, Kind::kBool},
    {kInsertAutoIdKey, Kind::kBool},
    {"collection.function.allowInsertNonBM25FunctionOutputs", Kind::kBool},
    {roles::kConsistencyKey, Kind::kConsistency},
    {kQueryModeKey, Kind::kText},
    {kReplicaKey, Kind::kReplicas},
    {kGroupsKey, Kind::kGroups},
    {"collection.external_source", Kind::kNever},  // No field is one of an external collection.
    {"collection.external_spec", Kind::kNever},
    {"collection.on.truncating", Kind::kNever},
    {"cipher.", Kind::kNever},  // Of a database.
    {"disable_func_runtime_check", Kind::kFixedBool},
    {"max_field_id", Kind::kFixed},
    {"namespace.sharding.enabled", Kind::kFixedBool},
    {"namespace.mode", Kind::kFixedMode},
    {"namespace.", Kind::kFixed},
    {kFieldIdsKey, Kind::kFixedBool},
});

Rule RuleOf(std::string_view key) {
  for (const Rule& rule : kRules) {
    if (key == rule.key || (rule.key.ends_with('.') && key.starts_with(rule.key))) return rule;
  }
  return {.key = key};
}

// The properties as they will be.
std::vector<model::KeyValue> Altered(std::vector<model::KeyValue> properties,
                                     const std::vector<model::KeyValue>& set) {
  for (const model::KeyValue& property : set) model::Put(properties, property.key, property.value);
  return properties;
}

Status CheckAlterable(const Rule& rule, std::string_view key) {
  switch (rule.kind) {
    case Kind::kFixed:
    case Kind::kFixedBool:
    case Kind::kFixedMode:
    case Kind::kNever:
      return Invalid("property {} cannot be altered", key);
    default:
      return {};
  }
}

// One node has one copy.
Status CheckReplicas(const model::KeyValue& property) {
  TRY_ASSIGN(const int64_t replicas, ParseInt(property.key, property.value));
  if (replicas < 1) return Invalid("{} should be at least 1, got {}", property.key, replicas);
  if (replicas == 1) return {};
  return Error(ErrorCode::kUnimplemented, "{} {} is not supported yet: one node loads everything",
               property.key, property.value);
}

Status CheckReleased(const Rule& rule, const model::CollectionInfo& collection) {
  if (!rule.when_released || !collection.loaded) return {};
  return Error(ErrorCode::kCollectionLoaded,
               "{}[collection={}]: mmap and warmup can be altered once it is released",
               InfoOf(ErrorCode::kCollectionLoaded).name, collection.schema.name);
}

// What a vector index is built by stays while there is one.
Status CheckNoVectorIndex(std::string_view key, const model::CollectionInfo& collection) {
  if (key != model::kIsolationKey && key != kQueryModeKey) return {};
  for (const model::IndexInfo& index : collection.indexes) {
    const model::FieldSchema* field = collection.schema.FindField(index.field);
    if (field == nullptr || !model::IsVector(field->type)) continue;
    return Error(ErrorCode::kIndexDuplicate,
                 "{}[indexName={}]: can not alter {} while the collection has a vector index, "
                 "please drop it first",
                 InfoOf(ErrorCode::kIndexDuplicate).name, index.name, key);
  }
  return {};
}

}  // namespace

Status CheckProperty(Services& services, const model::CollectionSchema& schema,
                     const model::KeyValue& property) {
  const ProxyOptions& options = services.options;
  const Rule rule = RuleOf(property.key);
  const std::string& value = property.value;
  if (rule.kind == Kind::kBool || rule.kind == Kind::kFixedBool)
    TRY(ParseBool(property.key, value).status());
  if (rule.kind == Kind::kWarmUp && value != "disable" && value != "sync" && value != "async") {
    return Invalid("{} should be one of disable, sync, async, got {}", property.key, value);
  }
  if (rule.kind == Kind::kConsistency && !model::ConsistencyLevelOf(value)) {
    return Invalid("unknown consistency level: {}", value);
  }
  if (rule.kind == Kind::kNever) return Invalid("property {} cannot be set", property.key);
  if (rule.kind == Kind::kFixedMode && value != "partition_key" && value != "partition") {
    return Invalid("{} should be partition_key or partition, got {}", property.key, value);
  }
  if (rule.kind == Kind::kReplicas) TRY(CheckReplicas(property));
  if (rule.kind == Kind::kGroups) TRY(ReadGroups(services, value).status());
  if (IsLimit(property.key)) TRY(CheckLimit(property));
  if (property.key == kQueryModeKey) TRY(CheckQueryMode({property}));
  if (property.key == kTimeZoneKey) TRY(TimeZone::Of(value).status());
  if (property.key == model::kIsolationKey) {
    TRY(CheckIsolation(options, schema, property));
  }
  if (property.key == kFieldIdsKey) {
    TRY_ASSIGN(const bool preserves, ParseBool(property.key, value));
    if (preserves) {
      return Error(ErrorCode::kUnimplemented, "{} is not supported yet: fields get new ids",
                   property.key);
    }
  }
  if (property.key == kInsertAutoIdKey) {
    TRY_ASSIGN(const bool allows, ParseBool(property.key, value));
    if (allows && !schema.primary_key().auto_id) {
      return Invalid("the value of {} must be false when autoID is false", property.key);
    }
  }
  const auto limit = static_cast<size_t>(options.description_bytes_max);
  if (property.key == roles::kDescriptionKey && value.size() > limit) {
    return Invalid("the description may have {} bytes, got {}", limit, value.size());
  }
  return {};
}

Status AlterCollection(Context& ctx, Services& services, const model::CollectionName& name,
                       const std::vector<model::KeyValue>& set,
                       const std::vector<std::string>& remove) {
  if (!set.empty() && !remove.empty()) {
    return Invalid("cannot provide both properties and delete keys at the same time");
  }
  if (set.empty() && remove.empty()) return Invalid("no properties or delete keys provided");
  for (const model::KeyValue& property : set) {
    if (property.key != kDynamicFieldKey) continue;
    if (set.size() > 1) return Invalid("cannot alter {} with other properties", property.key);
    TRY_ASSIGN(const bool enabled, ParseBool(property.key, property.value));
    return SetDynamicField(ctx, services, name, enabled);
  }
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  for (const model::KeyValue& property : set) {
    const Rule rule = RuleOf(property.key);
    TRY(CheckAlterable(rule, property.key));
    TRY(CheckReleased(rule, *collection));
    TRY(CheckProperty(services, collection->schema, property));
    TRY(CheckNoVectorIndex(property.key, *collection));
  }
  for (const std::string& key : remove) {
    const Rule rule = RuleOf(key);
    if (key == kDynamicFieldKey) return Invalid("cannot delete the property {}", key);
    TRY(CheckAlterable(rule, key));
    TRY(CheckReleased(rule, *collection));
    TRY(CheckNoVectorIndex(key, *collection));
  }
  TRY(model::CheckTimeToLive(Altered(collection->properties, set), collection->schema));
  // What is loaded goes where it says.
  LoadPlace place;
  if (const std::string* groups = model::Find(set, kGroupsKey); groups && collection->loaded) {
    TRY_ASSIGN(place.resource_groups, ReadGroups(services, *groups));
    TRY(CheckPlace(services, *collection, place));
  }
  TRY(services.coord.catalog.AlterProperties(ctx, collection->id, set, remove));
  for (const std::string& group : place.resource_groups) {
    TRY(services.resource_groups.PutReplica(ctx, collection->id, group));
  }
  return services.streaming.SyncSchema(ctx, collection->id);
}

}  // namespace elanus::proxy
