// Changes of collections and partitions.
#include <algorithm>

#include "base/fields.h"
#include "coord/catalog/impl.h"
#include "model/channel.h"
#include "model/partition_key.h"

namespace elanus::coord {
namespace {

bool SameProperties(std::vector<model::KeyValue> a, std::vector<model::KeyValue> b) {
  const auto by_key = [](const auto& x, const auto& y) { return x.key < y.key; };
  std::stable_sort(a.begin(), a.end(), by_key);
  std::stable_sort(b.begin(), b.end(), by_key);
  return a == b;
}

// The same definition, apart from what the server adds.
bool SameDefinition(const model::CollectionInfo& known, const model::CollectionInfo& wanted) {
  model::CollectionSchema schema = known.schema;
  schema.version = wanted.schema.version;
  schema.max_field_id = wanted.schema.max_field_id;
  return schema == wanted.schema && known.consistency_level == wanted.consistency_level &&
         SameProperties(known.properties, wanted.properties) &&
         // Without a partition key partitions come and go.
         (known.schema.partition_key() == nullptr ||
          known.partitions.size() == wanted.partitions.size()) &&
         known.vchannels.size() == wanted.vchannels.size();
}

// The partitions that rows come to by their key; without a key the default one. No ids yet.
Result<std::vector<model::PartitionInfo>> FirstPartitions(
    const CatalogOptions& options, const model::CreateCollectionRequest& request) {
  std::vector<model::PartitionInfo> partitions;
  if (request.schema.partition_key() == nullptr) {
    partitions.push_back({.id = {}, .name = std::string(model::kDefaultPartition), .created = {}});
    return partitions;
  }
  const int64_t wanted = request.num_partitions != 0
                             ? request.num_partitions
                             : std::min(model::kPartitionsOfKey, options.partitions_max);
  if (wanted < 1 || wanted > options.partitions_max) {
    return Invalid("partition number ({}) should be in the range [1, {}] of a collection: {}",
                   wanted, options.partitions_max, request.schema.name);
  }
  for (int64_t i = 0; i < wanted; ++i) {
    partitions.push_back(
        {.id = {}, .name = model::PartitionName(static_cast<size_t>(i)), .created = {}});
  }
  return partitions;
}

// Ordinary fields, $meta, then each struct followed by its sub-fields.
void AssignFieldIds(model::CollectionSchema& schema) {
  int64_t next_function = model::kFirstUserFieldId;
  for (model::FunctionSchema& function : schema.functions) function.id = next_function++;
  int64_t next = model::kFirstUserFieldId;
  for (model::FieldSchema& field : schema.fields) {
    if (!field.is_sub_field()) field.id = FieldId(next++);
  }
  model::FieldSchema dynamic = model::DynamicField();
  if (schema.enable_dynamic_field) dynamic.id = FieldId(next++);
  for (model::StructSchema& known : schema.structs) {
    known.id = FieldId(next++);
    for (model::FieldSchema& field : schema.fields) {
      if (field.struct_name == known.name) field.id = FieldId(next++);
    }
  }
  if (schema.enable_dynamic_field) schema.fields.push_back(std::move(dynamic));
}

}  // namespace

Status Catalog::CreateCollection(Context& ctx, const model::CreateCollectionRequest& request) {
  TRY(impl_->CheckDatabase(request.name.database));
  if (request.schema.name != request.name.collection) {
    return Invalid("collection name does not match the schema's name: {}, {}",
                   request.name.collection, request.schema.name);
  }
  Impl::Turn turn(*impl_);
  TRY(impl_->CheckResources(request.schema));
  model::CollectionInfo info;
  info.database = model::kDefaultDatabase;
  info.schema = request.schema;
  AssignFieldIds(info.schema);
  info.consistency_level = request.consistency_level;
  info.properties = request.properties;
  if (model::Find(info.properties, "timezone") == nullptr) {
    info.properties.push_back({"timezone", "UTC"});
  }
  const size_t shards = request.shards_num <= 0 ? 1 : static_cast<size_t>(request.shards_num);
  info.vchannels.resize(shards);
  TRY_ASSIGN(info.partitions, FirstPartitions(impl_->options, request));
  size_t existing = 0;
  {
    const auto known = impl_->FindEntry(request.name);
    if (known.ok()) {
      if (SameDefinition(*(*known)->info, info)) return {};
      return Invalid("create duplicate collection with different parameters, collection: {}",
                     request.schema.name);
    }
    std::shared_lock<std::shared_mutex> lock(impl_->mutex);
    existing = impl_->by_id.size();
  }
  // All are in the one database there is.
  const int64_t limit =
      std::min(impl_->options.collections_of_database_max, impl_->options.collections_max);
  if (existing >= static_cast<size_t>(limit)) {
    return Error(ErrorCode::kCollectionLimit, "{}[dbName={}][limit={}]",
                 InfoOf(ErrorCode::kCollectionLimit).name, info.database, limit);
  }
  TRY(impl_->CheckCapacity(shards * info.partitions.size()));
  TRY_ASSIGN(int64_t ids,
             impl_->oracle.AllocateIds(ctx, 1 + static_cast<int64_t>(info.partitions.size())));
  TRY_ASSIGN(info.created, impl_->oracle.Now(ctx));
  info.id = CollectionId(ids);
  info.updated = info.created;
  for (model::PartitionInfo& partition : info.partitions) {
    partition.id = PartitionId(++ids);
    partition.created = info.created;
  }
  info.vchannels = NewChannels(info.id, shards);
  TRY(impl_->AddIndexes(ctx, request.indexes, info));
  Entry fresh;
  return impl_->CommitInfo(ctx, fresh, std::move(info));
}

Status Catalog::DropCollection(Context& ctx, const model::CollectionName& name) {
  Impl::Turn turn(*impl_);
  const auto entry = impl_->FindEntry(name);
  if (!entry.ok()) return {};
  store::MetaTxn txn;
  const Entry& old = **entry;
  txn.deletes.push_back(CollectionKey(old.info->id));
  for (const auto& [id, segment] : old.segments) txn.deletes.push_back(SegmentKey(segment));
  for (const auto& [vchannel, deltas] : old.deltas) {
    for (const auto& delta : deltas) txn.deletes.push_back(DeltaKey(delta));
  }
  for (const auto& [vchannel, checkpoint] : old.checkpoints) {
    txn.deletes.push_back(CheckpointKey(vchannel));
  }
  const int64_t id = old.info->id.value();
  TRY(impl_->Discard(ctx,
                     {fmt::format("segments/{}/", id), fmt::format("indexes/{}/", id),
                      fmt::format("deltas/{}/", id)},
                     txn));
  TRY_ASSIGN(const bool applied, impl_->meta.Commit(ctx, txn));
  if (!applied) return Status(ErrorCode::kInternal, "a catalog change met another one");
  impl_->Publish(old.info->id, nullptr);
  return {};
}

Status Catalog::Rename(Context& ctx, const model::CollectionName& from, const std::string& to) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(from));
  if (impl_->FindEntry(model::CollectionName{.database = from.database, .collection = to}).ok()) {
    return Invalid("duplicated new collection name {} in database {} with other collection name",
                   to, model::kDefaultDatabase);
  }
  model::CollectionInfo info = *entry->info;
  info.schema.name = to;
  TRY_ASSIGN(info.updated, impl_->oracle.Now(ctx));
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

Status Catalog::AlterProperties(Context& ctx, CollectionId collection,
                                const std::vector<model::KeyValue>& set,
                                const std::vector<std::string>& remove) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  model::CollectionInfo info = *entry->info;
  for (const model::KeyValue& property : set) {
    const auto level = model::ConsistencyLevelOf(property.value);
    if (property.key == roles::kDescriptionKey)
      info.schema.description = property.value;
    else if (property.key == roles::kConsistencyKey && level)
      info.consistency_level = *level;
    else
      model::Put(info.properties, property.key, property.value);
  }
  std::erase_if(info.properties, [&](const model::KeyValue& property) {
    return std::find(remove.begin(), remove.end(), property.key) != remove.end();
  });
  if (info.properties == entry->info->properties &&
      info.consistency_level == entry->info->consistency_level &&
      info.schema.description == entry->info->schema.description) {
    return {};
  }
  TRY_ASSIGN(info.updated, impl_->oracle.Now(ctx));
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

Status Catalog::CreatePartition(Context& ctx, const model::CollectionName& name,
                                const std::string& partition) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(name));
  if (entry->info->FindPartition(partition) != nullptr) return {};
  model::CollectionInfo info = *entry->info;
  if (info.partitions.size() >= static_cast<size_t>(impl_->options.partitions_max)) {
    return Invalid("partition number ({}) exceeds max configuration ({}), collection: {}",
                   info.partitions.size(), impl_->options.partitions_max, info.schema.name);
  }
  TRY(impl_->CheckCapacity(info.vchannels.size()));
  TRY_ASSIGN(const int64_t id, impl_->oracle.AllocateIds(ctx, 1));
  TRY_ASSIGN(const Timestamp now, impl_->oracle.Now(ctx));
  info.partitions.push_back({.id = PartitionId(id), .name = partition, .created = now});
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

Status Catalog::DropPartition(Context& ctx, const model::CollectionName& name,
                              const std::string& partition) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(name));
  const model::PartitionInfo* found = entry->info->FindPartition(partition);
  if (found == nullptr) return {};
  if (partition == model::kDefaultPartition) return Invalid("default partition cannot be deleted");
  if (entry->info->IsLoaded(found->id)) {
    return Invalid("partition cannot be dropped, partition is loaded, please release it first: {}",
                   partition);
  }
  const PartitionId id = found->id;
  auto next = std::make_shared<Entry>(*entry);
  model::CollectionInfo info = *entry->info;
  std::erase_if(info.partitions, [&](const auto& known) { return known.id == id; });
  store::MetaTxn txn;
  txn.puts.emplace_back(CollectionKey(info.id), Encode(info));
  std::vector<std::string> unused;
  for (auto it = next->segments.begin(); it != next->segments.end();) {
    if (it->second.partition == id) {
      txn.deletes.push_back(SegmentKey(it->second));
      AddFolders(info.id, it->first, unused);
      it = next->segments.erase(it);
    } else {
      ++it;
    }
  }
  TRY(impl_->Discard(ctx, std::move(unused), txn));
  next->info = std::make_shared<const model::CollectionInfo>(std::move(info));
  return impl_->Commit(ctx, txn, std::move(next));
}

Status Catalog::SetLoaded(Context& ctx, CollectionId collection,
                          std::vector<PartitionId> partitions) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  model::CollectionInfo info = *entry->info;
  if (partitions.empty()) {
    info.loaded_partitions.clear();
  } else if (!info.loaded || !info.loaded_partitions.empty()) {
    for (PartitionId id : partitions) {
      if (std::find(info.loaded_partitions.begin(), info.loaded_partitions.end(), id) ==
          info.loaded_partitions.end()) {
        info.loaded_partitions.push_back(id);
      }
    }
  }
  info.loaded = true;
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

Status Catalog::SetFieldsLeftOut(Context& ctx, CollectionId collection,
                                 std::vector<FieldId> fields) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  if (entry->info->fields_left_out == fields) return {};
  model::CollectionInfo info = *entry->info;
  info.fields_left_out = std::move(fields);
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

Status Catalog::SetReleased(Context& ctx, CollectionId collection,
                            std::vector<PartitionId> partitions) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  model::CollectionInfo info = *entry->info;
  if (!info.loaded) return {};
  if (!partitions.empty() && info.loaded_partitions.empty()) {
    for (const auto& partition : info.partitions) info.loaded_partitions.push_back(partition.id);
  }
  std::erase_if(info.loaded_partitions, [&](PartitionId id) {
    return std::find(partitions.begin(), partitions.end(), id) != partitions.end();
  });
  if (partitions.empty()) info.loaded_partitions.clear();
  info.loaded = !info.loaded_partitions.empty();
  if (!info.loaded) info.fields_left_out.clear();
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

}  // namespace elanus::coord
