// Collections and partitions.
#include "model/time_to_live.h"
#include "proxy/checks.h"
#include "proxy/functions.h"
#include "proxy/moments.h"
#include "proxy/ops.h"
#include "proxy/ops/properties.h"
#include "proxy/partition_key.h"

namespace elanus::proxy {
namespace {

// Properties that are other names of what the request or its schema has members for: they are
// shown there, as after an alteration.
Status TakeIn(model::CreateCollectionRequest& request) {
  std::vector<model::KeyValue> kept;
  for (model::KeyValue& property : request.properties) {
    if (property.key == roles::kConsistencyKey) {
      request.consistency_level = *model::ConsistencyLevelOf(property.value);
    } else if (property.key == roles::kDescriptionKey) {
      request.schema.description = property.value;
    } else if (property.key == kDynamicFieldKey) {
      TRY_ASSIGN(const bool enabled, ParseBool(property.key, property.value));
      if (enabled == request.schema.enable_dynamic_field) continue;
      return Invalid("property {} is {}, but enable_dynamic_field of the schema is not",
                     property.key, property.value);
    } else {
      model::Put(kept, property.key, property.value);  // Of a key that is there twice, the last.
    }
  }
  request.properties = std::move(kept);
  return {};
}

}  // namespace

Status CreateCollection(Context& ctx, Services& services, model::CreateCollectionRequest request) {
  if (request.shards_num > services.options.shards_max) {
    return Invalid("maximum shards's number should be limited to {}, got {}",
                   services.options.shards_max, request.shards_num);
  }
  if (request.shards_num < 0) {
    return Invalid("the number of shards should be positive, got {}", request.shards_num);
  }
  const int level = static_cast<int>(request.consistency_level);
  if (!model::ConsistencyLevelOf(std::to_string(level))) {
    return Invalid("unknown consistency level: {}", level);
  }
  TRY(CheckSchema(services.options, request.schema));
  TRY(CheckPartitionKey(services.options, request));
  TRY_ASSIGN(const TimeZone zone, ZoneOf(request.properties));
  TRY(ReadDefaultMoments(zone, request.schema));
  TRY(CheckFunctions(request.schema));
  MarkFunctionOutputs(request.schema);
  if (request.schema.name != request.name.collection) {
    return Invalid("collection name ({}) in the request must equal the schema's ({})",
                   request.name.collection, request.schema.name);
  }
  // Who makes a collection like another hands back what the server said of that one.
  std::erase_if(request.properties, [](const model::KeyValue& property) {
    return property.key == "max_field_id" ||
           (property.key == "namespace.sharding.enabled" && property.value == "false");
  });
  TRY(model::CheckTimeToLive(request.properties, request.schema));
  for (const model::KeyValue& property : request.properties) {
    TRY(CheckProperty(services, request.schema, property));
  }
  TRY(TakeIn(request));
  TRY(ProbeFunctions(ctx, services, request.schema, request.properties));
  request.indexes = WordIndexesOf(request.schema);
  TRY(services.coord.catalog.CreateCollection(ctx, request));
  TRY_ASSIGN(const auto created, services.coord.catalog.Find(ctx, request.name));
  return services.streaming.OpenChannels(ctx, created->id);
}

Status DropCollection(Context& ctx, Services& services, const model::CollectionName& name) {
  const auto found = services.coord.catalog.Find(ctx, name);
  if (!found.ok()) return {};
  TRY(services.coord.catalog.DropCollection(ctx, name));
  return services.streaming.CloseChannels(ctx, (*found)->id);
}

Status TruncateCollection(Context& ctx, Services& services, const model::CollectionName& name) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  return services.streaming.Truncate(ctx, collection->id);
}

Result<bool> HasCollection(Context& ctx, Services& services, const model::CollectionName& name) {
  const auto found = Resolve(ctx, services, name);
  if (found.ok()) return true;
  if (found.status().code() == ErrorCode::kCollectionNotFound) return false;
  return found.status();
}

Result<roles::CollectionSnapshot> DescribeCollection(Context& ctx, Services& services,
                                                     const model::CollectionName& name,
                                                     CollectionId id) {
  if (name.collection.empty() && id != CollectionId()) return services.coord.catalog.Find(ctx, id);
  auto found = Resolve(ctx, services, name);
  if (found.status().code() == ErrorCode::kCollectionNotFound) {
    // Clients look for these words.
    return std::move(found).status().WithContext("can't find collection");
  }
  return found;
}

Result<std::vector<roles::CollectionSnapshot>> ListCollections(
    Context& ctx, Services& services, const std::string& database,
    const std::vector<std::string>& loaded) {
  if (loaded.empty()) return services.coord.catalog.List(ctx, database);
  std::vector<roles::CollectionSnapshot> named;
  for (const std::string& name : loaded) {
    TRY_ASSIGN(auto collection, Resolve(ctx, services, {.database = database, .collection = name}));
    if (!collection->loaded) {
      return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                   InfoOf(ErrorCode::kCollectionNotLoaded).name, name);
    }
    named.push_back(std::move(collection));
  }
  return named;
}

Status RenameCollection(Context& ctx, Services& services, const model::CollectionName& from,
                        const std::string& to) {
  TRY(CheckName(services.options, "collection name", to));
  if (from.collection.empty()) return Invalid("collection name should not be empty");
  if (from.collection == to) return Invalid("the new collection name equals the old one: {}", to);
  TRY_ASSIGN(const auto collection, services.coord.catalog.Find(ctx, from));
  TRY(services.coord.catalog.Rename(ctx, from, to));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

Result<int64_t> CountRows(Context& ctx, Services& services, const model::CollectionName& name,
                          const std::string& partition) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  PartitionId id;
  if (!partition.empty()) {
    TRY_ASSIGN(const auto ids,
               ResolvePartitions(*collection, {partition}, ErrorCode::kPartitionNotFound));
    id = ids[0];
  }
  TRY_ASSIGN(const auto segments, services.coord.segments.ListSegments(ctx, collection->id));
  TRY_ASSIGN(int64_t rows, services.streaming.GrowingRows(ctx, collection->id, id));
  for (const auto& segment : segments) {
    if (id == PartitionId() || segment.partition == id) rows += segment.rows;
  }
  return rows;
}

Status CreatePartition(Context& ctx, Services& services, const model::CollectionName& name,
                       std::string partition) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  TRY(CheckNoPartitionNames(*collection, {partition}));
  TRY_ASSIGN(partition, PartitionNamed(services.options, partition));
  TRY(services.coord.catalog.CreatePartition(ctx, name, partition));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

Status DropPartition(Context& ctx, Services& services, const model::CollectionName& name,
                     std::string partition) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  TRY(CheckNoPartitionNames(*collection, {partition}));
  TRY_ASSIGN(partition, PartitionNamed(services.options, partition));
  TRY(services.coord.catalog.DropPartition(ctx, name, partition));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

Result<bool> HasPartition(Context& ctx, Services& services, const model::CollectionName& name,
                          std::string partition) {
  TRY_ASSIGN(partition, PartitionNamed(services.options, partition));
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  return collection->FindPartition(partition) != nullptr;
}

}  // namespace elanus::proxy
