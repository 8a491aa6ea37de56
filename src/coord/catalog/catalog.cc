// Opening the catalog, look-ups, and the steps all changes share.
#include "coord/catalog.h"

#include "base/fields.h"
#include "coord/catalog/impl.h"

namespace elanus::coord {

std::string CollectionKey(CollectionId id) { return fmt::format("collection/{}", id.value()); }
std::string SegmentKey(const model::SegmentInfo& segment) {
  return fmt::format("segment/{}/{}", segment.collection.value(), segment.id.value());
}
std::string DeltaKey(const model::DeltaInfo& delta) {
  return fmt::format("delta/{}/{}", delta.vchannel, delta.key);
}
std::string CheckpointKey(const std::string& vchannel) { return "checkpoint/" + vchannel; }
std::string GarbageKey(Timestamp dropped) { return fmt::format("garbage/{:020}", dropped.value()); }
std::string ResourceKey(std::string_view name) { return fmt::format("resource/{}", name); }
std::string GroupKey(std::string_view name) { return fmt::format("group/{}", name); }
void AddFolders(CollectionId collection, SegmentId segment, std::vector<std::string>& keys) {
  keys.push_back(fmt::format("segments/{}/{}/", collection.value(), segment.value()));
  keys.push_back(fmt::format("indexes/{}/{}/", collection.value(), segment.value()));
}

Catalog::Catalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;

Result<std::unique_ptr<Catalog>> Catalog::Open(Context& ctx, store::MetaStore& meta,
                                               roles::Oracle& oracle, Executor& executor,
                                               const CatalogOptions& options) {
  auto impl = std::make_unique<Impl>(meta, oracle, executor, options);
  std::map<CollectionId, Entry> entries;
  std::map<std::string, CollectionId> of_channel;
  TRY_ASSIGN(const auto collections, meta.Scan(ctx, "collection/"));
  for (const auto& [key, value] : collections) {
    TRY_ASSIGN(auto info, Decode<model::CollectionInfo>(value));
    for (const std::string& vchannel : info.vchannels) of_channel[vchannel] = info.id;
    const CollectionId id = info.id;
    entries[id].info = std::make_shared<const model::CollectionInfo>(std::move(info));
  }
  TRY_ASSIGN(const auto segments, meta.Scan(ctx, "segment/"));
  for (const auto& [key, value] : segments) {
    TRY_ASSIGN(auto segment, Decode<model::SegmentInfo>(value));
    const auto entry = entries.find(segment.collection);
    if (entry != entries.end()) entry->second.segments[segment.id] = std::move(segment);
  }
  TRY_ASSIGN(const auto deltas, meta.Scan(ctx, "delta/"));
  for (const auto& [key, value] : deltas) {
    TRY_ASSIGN(auto delta, Decode<model::DeltaInfo>(value));
    const auto entry = entries.find(delta.collection);
    if (entry != entries.end()) entry->second.deltas[delta.vchannel].push_back(std::move(delta));
  }
  TRY_ASSIGN(const auto checkpoints, meta.Scan(ctx, "checkpoint/"));
  for (const auto& [key, value] : checkpoints) {
    TRY_ASSIGN(const auto checkpoint, Decode<model::ShardCheckpoint>(value));
    const std::string vchannel = key.substr(std::string_view("checkpoint/").size());
    const auto found = of_channel.find(vchannel);
    if (found != of_channel.end()) entries[found->second].checkpoints[vchannel] = checkpoint;
  }
  TRY_ASSIGN(const auto resources, meta.Scan(ctx, "resource/"));
  for (const auto& [key, value] : resources) {
    TRY_ASSIGN(auto resource, Decode<model::FileResource>(value));
    const std::string name = resource.name;
    impl->resources[name] = std::move(resource);
  }
  TRY(impl->OpenGroups(ctx));
  for (auto& [id, entry] : entries) {
    impl->Publish(id, std::make_shared<const Entry>(std::move(entry)));
  }
  return std::unique_ptr<Catalog>(new Catalog(std::move(impl)));
}

Status Catalog::Impl::CheckDatabase(std::string_view database) const {
  if (database.empty() || database == model::kDefaultDatabase) return {};
  return Error(ErrorCode::kDatabaseNotFound, "{}[database={}]",
               InfoOf(ErrorCode::kDatabaseNotFound).name, database);
}

Result<std::shared_ptr<const Entry>> Catalog::Impl::FindEntry(
    const model::CollectionName& name) const {
  TRY(CheckDatabase(name.database));
  std::shared_lock<std::shared_mutex> lock(mutex);
  const auto found = by_name.find(name.collection);
  if (found == by_name.end()) {
    return Error(ErrorCode::kCollectionNotFound, "{}[database={}][collection={}]",
                 InfoOf(ErrorCode::kCollectionNotFound).name,
                 name.database.empty() ? model::kDefaultDatabase : name.database, name.collection);
  }
  return by_id.at(found->second);
}

Result<std::shared_ptr<const Entry>> Catalog::Impl::FindEntry(CollectionId id) const {
  std::shared_lock<std::shared_mutex> lock(mutex);
  const auto found = by_id.find(id);
  if (found == by_id.end()) {
    return Error(ErrorCode::kCollectionNotFound, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotFound).name, id.value());
  }
  return found->second;
}

Status Catalog::Impl::CheckCapacity(size_t more) const {
  size_t used = more;
  {
    std::shared_lock<std::shared_mutex> lock(mutex);
    for (const auto& [id, entry] : by_id) {
      used += entry->info->partitions.size() * entry->info->vchannels.size();
    }
  }
  if (used <= static_cast<size_t>(options.capacity_max)) return {};
  return Error(ErrorCode::kGeneralCapacity, "{}[newGeneralSize={}][generalCapacity={}]",
               InfoOf(ErrorCode::kGeneralCapacity).name, used, options.capacity_max);
}

Status Catalog::Impl::Commit(Context& ctx, const store::MetaTxn& txn,
                             std::shared_ptr<const Entry> next) {
  TRY_ASSIGN(const bool applied, meta.Commit(ctx, txn));
  if (!applied) return Status(ErrorCode::kInternal, "a catalog change met another one");
  const CollectionId id = next->info->id;
  Publish(id, std::move(next));
  return {};
}

Status Catalog::Impl::Discard(Context& ctx, std::vector<std::string> keys, store::MetaTxn& txn) {
  if (keys.empty()) return {};
  Garbage garbage{.keys = std::move(keys), .dropped = {}};
  TRY_ASSIGN(garbage.dropped, oracle.Now(ctx));
  txn.puts.emplace_back(GarbageKey(garbage.dropped), Encode(garbage));
  return {};
}

Result<std::vector<Garbage>> Catalog::ListGarbage(Context& ctx) {
  TRY_ASSIGN(const auto pairs, impl_->meta.Scan(ctx, "garbage/"));
  std::vector<Garbage> all;
  for (const auto& [key, value] : pairs) {
    TRY_ASSIGN(Garbage garbage, Decode<Garbage>(value));
    all.push_back(std::move(garbage));
  }
  return all;
}

Status Catalog::ForgetGarbage(Context& ctx, Timestamp dropped) {
  store::MetaTxn txn;
  txn.deletes.push_back(GarbageKey(dropped));
  return impl_->meta.Commit(ctx, txn).status();
}

std::shared_ptr<const Entry> Catalog::Impl::EntryOf(std::string_view vchannel) const {
  std::shared_lock<std::shared_mutex> lock(mutex);
  const auto found = of_vchannel.find(vchannel);
  return found == of_vchannel.end() ? nullptr : by_id.at(found->second);
}

std::shared_ptr<const Entry> Catalog::Impl::EntryOf(SegmentId segment) const {
  const auto found = of_segment.find(segment);
  return found == of_segment.end() ? nullptr : by_id.at(found->second);
}

void Catalog::Impl::Publish(CollectionId id, std::shared_ptr<const Entry> next) {
  std::shared_ptr<const Entry> old;
  {
    std::unique_lock<std::shared_mutex> lock(mutex);
    std::shared_ptr<const Entry>& slot = by_id[id];
    old = slot;
    if (old != nullptr) {
      by_name.erase(old->info->schema.name);
      for (const std::string& vchannel : old->info->vchannels) of_vchannel.erase(vchannel);
    }
    slot = next;
    if (next == nullptr) {
      by_id.erase(id);
    } else {
      by_name[next->info->schema.name] = id;
      for (const std::string& vchannel : next->info->vchannels) of_vchannel[vchannel] = id;
    }
  }
  if (old != nullptr) {
    for (const auto& [segment, info] : old->segments) of_segment.erase(segment);
  }
  if (next != nullptr) {
    for (const auto& [segment, info] : next->segments) of_segment[segment] = id;
  }
}

Status Catalog::Impl::CommitInfo(Context& ctx, const Entry& old, model::CollectionInfo info) {
  store::MetaTxn txn;
  txn.puts.emplace_back(CollectionKey(info.id), Encode(info));
  auto next = std::make_shared<Entry>(old);
  next->info = std::make_shared<const model::CollectionInfo>(std::move(info));
  return Commit(ctx, txn, std::move(next));
}

Result<roles::CollectionSnapshot> Catalog::Find(Context&, const model::CollectionName& name) {
  TRY_ASSIGN(const auto entry, impl_->FindEntry(name));
  return entry->info;
}

Result<roles::CollectionSnapshot> Catalog::Find(Context&, CollectionId id) {
  TRY_ASSIGN(const auto entry, impl_->FindEntry(id));
  return entry->info;
}

Result<std::vector<roles::CollectionSnapshot>> Catalog::List(Context&, std::string_view database) {
  TRY(impl_->CheckDatabase(database));
  std::shared_lock<std::shared_mutex> lock(impl_->mutex);
  std::vector<roles::CollectionSnapshot> all;
  for (const auto& [id, entry] : impl_->by_id) all.push_back(entry->info);
  return all;
}

}  // namespace elanus::coord
