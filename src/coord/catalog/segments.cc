// Changes of indexes and segments.
#include <algorithm>

#include "base/fields.h"
#include "coord/catalog/impl.h"

namespace elanus::coord {
namespace {

bool SameParams(std::vector<model::KeyValue> a, std::vector<model::KeyValue> b) {
  // These can be altered later, so they do not make another index.
  const auto alterable = [](const auto& kv) {
    return kv.key == "mmap.enabled" || kv.key == "indexoffsetcache.enabled" || kv.key == "warmup";
  };
  std::erase_if(a, alterable);
  std::erase_if(b, alterable);
  const auto by_key = [](const auto& x, const auto& y) { return x.key < y.key; };
  std::sort(a.begin(), a.end(), by_key);
  std::sort(b.begin(), b.end(), by_key);
  return a == b;
}

// A field has one index; a JSON field one for each path.
bool IsSamePlace(const model::IndexInfo& a, const model::IndexInfo& b) {
  return a.field == b.field && a.json_path == b.json_path;
}

}  // namespace

Status Catalog::CreateIndex(Context& ctx, CollectionId collection, model::IndexInfo wanted) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  model::CollectionInfo info = *entry->info;
  TRY_ASSIGN(const bool is_new, impl_->AddIndex(ctx, std::move(wanted), info));
  if (!is_new) return {};
  return impl_->CommitInfo(ctx, *entry, std::move(info));
}

Result<bool> Catalog::Impl::AddIndex(Context& ctx, model::IndexInfo wanted,
                                     model::CollectionInfo& info) const {
  if (wanted.name.empty()) {
    const auto& indexes = info.indexes;
    const auto known = std::find_if(indexes.begin(), indexes.end(),
                                    [&](const auto& index) { return IsSamePlace(index, wanted); });
    const model::FieldSchema* field = info.schema.FindField(wanted.field);
    if (known != indexes.end())
      wanted.name = known->name;
    else if (field != nullptr)
      wanted.name = field->name + wanted.json_path;
  }
  for (const model::IndexInfo& known : info.indexes) {
    const bool same_field = IsSamePlace(known, wanted);
    if (known.name == wanted.name) {
      if (same_field && SameParams(known.user_params, wanted.user_params)) return false;
      return Invalid("at most one distinct index is allowed per field, index name: {}",
                     wanted.name);
    }
    if (same_field) {
      return Invalid("creating multiple indexes on same field is not supported, field has index {}",
                     known.name);
    }
  }
  TRY_ASSIGN(const int64_t id, oracle.AllocateIds(ctx, 1));
  TRY_ASSIGN(wanted.created, oracle.Now(ctx));
  wanted.id = IndexId(id);
  info.indexes.push_back(std::move(wanted));
  return true;
}

Status Catalog::Impl::AddIndexes(Context& ctx, std::vector<model::FieldIndex> wanted,
                                 model::CollectionInfo& info) const {
  for (model::FieldIndex& index : wanted) {
    const model::FieldSchema* field = info.schema.FindField(index.field);
    if (field == nullptr) return Invalid("an index on a field that is not there: {}", index.field);
    index.info.field = field->id;
    TRY(AddIndex(ctx, std::move(index.info), info).status());
  }
  return {};
}

void Catalog::Impl::ForgetIndex(IndexId id, Entry& next, store::MetaTxn& txn,
                                std::vector<std::string>& unused) const {
  for (auto& [segment_id, segment] : next.segments) {
    const auto removed = std::erase_if(segment.indexes, [&](const auto& built) {
      if (built.index != id) return false;
      if (!built.key.empty()) unused.push_back(built.key);
      return true;
    });
    if (removed > 0) txn.puts.emplace_back(SegmentKey(segment), Encode(segment));
  }
}

Status Catalog::DropIndex(Context& ctx, CollectionId collection, const std::string& index_name) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  model::CollectionInfo info = *entry->info;
  const auto found = std::find_if(info.indexes.begin(), info.indexes.end(),
                                  [&](const auto& index) { return index.name == index_name; });
  if (found == info.indexes.end()) return {};
  const model::FieldSchema* field = info.schema.FindField(found->field);
  if (info.loaded && field != nullptr && model::IsVector(field->type)) {
    return Invalid("vector index cannot be dropped on loaded collection: {}", info.schema.name);
  }
  const IndexId id = found->id;
  info.indexes.erase(found);
  store::MetaTxn txn;
  txn.puts.emplace_back(CollectionKey(info.id), Encode(info));
  auto next = std::make_shared<Entry>(*entry);
  std::vector<std::string> unused;
  impl_->ForgetIndex(id, *next, txn, unused);
  TRY(impl_->Discard(ctx, std::move(unused), txn));
  next->info = std::make_shared<const model::CollectionInfo>(std::move(info));
  return impl_->Commit(ctx, txn, std::move(next));
}

Result<std::vector<model::SegmentInfo>> Catalog::ListSegments(Context&, CollectionId collection) {
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  std::vector<model::SegmentInfo> segments;
  for (const auto& [id, segment] : entry->segments) segments.push_back(segment);
  return segments;
}

Result<std::vector<model::DeltaInfo>> Catalog::ListDeltas(Context&, const std::string& vchannel) {
  const auto entry = impl_->EntryOf(vchannel);
  if (entry == nullptr) return std::vector<model::DeltaInfo>();
  const auto found = entry->deltas.find(vchannel);
  return found == entry->deltas.end() ? std::vector<model::DeltaInfo>() : found->second;
}

namespace {

model::ShardFiles FilesOf(const Entry& entry, const std::string& vchannel) {
  model::ShardFiles files;
  for (const auto& [id, segment] : entry.segments) {
    if (segment.vchannel == vchannel) files.segments.push_back(segment);
  }
  if (const auto found = entry.deltas.find(vchannel); found != entry.deltas.end()) {
    files.deltas = found->second;
  }
  if (const auto found = entry.checkpoints.find(vchannel); found != entry.checkpoints.end()) {
    files.checkpoint = found->second;
  }
  return files;
}

}  // namespace

Result<model::ShardFiles> Catalog::ListShard(Context&, const std::string& vchannel) {
  const auto entry = impl_->EntryOf(vchannel);
  return entry == nullptr ? model::ShardFiles() : FilesOf(*entry, vchannel);
}

Result<Catalog::CollectionFiles> Catalog::ListCollection(Context&, CollectionId collection) {
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  CollectionFiles files{.info = entry->info, .shards = {}};
  for (const std::string& vchannel : entry->info->vchannels) {
    files.shards.push_back(FilesOf(*entry, vchannel));
  }
  return files;
}

namespace {

// Keeps those of `deltas` that a segment of the shard may still need.
void KeepNeeded(const Entry& entry, const std::string& vchannel,
                std::vector<model::DeltaInfo>& deltas) {
  Timestamp applied = kTimestampMax;  // To every segment.
  for (const auto& [id, segment] : entry.segments) {
    if (segment.vchannel == vchannel) applied = std::min(applied, segment.deletes_applied);
  }
  std::erase_if(deltas, [&](const model::DeltaInfo& delta) {
    return applied == kTimestampMax || (delta.newest != Timestamp() && delta.newest <= applied);
  });
}

// Makes `deltas` those of the channel, in `next` and in the transaction; `unused` gets the others.
void SetDeltas(Entry& next, const std::string& vchannel, std::vector<model::DeltaInfo> deltas,
               store::MetaTxn& txn, std::vector<std::string>& unused) {
  const auto has = [](const std::vector<model::DeltaInfo>& list, const model::DeltaInfo& delta) {
    return std::any_of(list.begin(), list.end(),
                       [&](const auto& other) { return other.key == delta.key; });
  };
  const std::vector<model::DeltaInfo> known = std::move(next.deltas[vchannel]);
  std::vector<model::DeltaInfo> needed = deltas;
  KeepNeeded(next, vchannel, needed);
  for (const model::DeltaInfo& delta : needed) {
    if (!has(known, delta)) txn.puts.emplace_back(DeltaKey(delta), Encode(delta));
  }
  for (const model::DeltaInfo& delta : known) {
    if (has(needed, delta)) continue;
    txn.deletes.push_back(DeltaKey(delta));
    unused.push_back(delta.key);
  }
  for (const model::DeltaInfo& delta : deltas) {
    if (!has(known, delta) && !has(needed, delta)) unused.push_back(delta.key);
  }
  next.deltas[vchannel] = std::move(needed);
}

}  // namespace

Status Catalog::CommitFlush(Context& ctx, const model::FlushCommit& commit) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(commit.collection));
  // Flushes of a shard come in the order of their checkpoints, so this one has been here before;
  // its segments may have been compacted since.
  if (const auto known = entry->checkpoints.find(commit.vchannel);
      known != entry->checkpoints.end() && commit.checkpoint <= known->second.position) {
    return {};
  }
  auto next = std::make_shared<Entry>(*entry);
  store::MetaTxn txn;
  for (const model::SegmentInfo& segment : commit.segments) {
    if (!entry->info->HasPartition(segment.partition)) continue;
    txn.puts.emplace_back(SegmentKey(segment), Encode(segment));
    next->segments[segment.id] = segment;
  }
  std::vector<model::DeltaInfo> deltas = next->deltas[commit.vchannel];
  deltas.insert(deltas.end(), commit.deltas.begin(), commit.deltas.end());
  std::vector<std::string> unused;
  SetDeltas(*next, commit.vchannel, std::move(deltas), txn, unused);
  model::ShardCheckpoint& checkpoint = next->checkpoints[commit.vchannel];
  checkpoint = {.position = commit.checkpoint, .timestamp = commit.checkpoint_ts};
  txn.puts.emplace_back(CheckpointKey(commit.vchannel), Encode(checkpoint));
  TRY(impl_->Discard(ctx, std::move(unused), txn));
  return impl_->Commit(ctx, txn, std::move(next));
}

Status Catalog::CommitCompaction(Context& ctx, const model::CompactionCommit& commit) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(commit.collection));
  auto next = std::make_shared<Entry>(*entry);
  store::MetaTxn txn;
  std::vector<std::string> unused;
  for (SegmentId input : commit.inputs) {
    const auto found = next->segments.find(input);
    if (found == next->segments.end()) {
      return Error(ErrorCode::kSegmentNotFound, "{}[segment={}]",
                   InfoOf(ErrorCode::kSegmentNotFound).name, input.value());
    }
    txn.deletes.push_back(SegmentKey(found->second));
    AddFolders(commit.collection, input, unused);
    next->segments.erase(found);
  }
  for (model::SegmentInfo output : commit.outputs) {
    // An index may have been dropped since its file was built.
    std::erase_if(output.indexes, [&](const model::SegmentIndexInfo& built) {
      const auto& indexes = entry->info->indexes;
      return std::none_of(indexes.begin(), indexes.end(),
                          [&](const auto& index) { return index.id == built.index; });
    });
    txn.puts.emplace_back(SegmentKey(output), Encode(output));
    next->segments[output.id] = std::move(output);
  }
  for (const model::CompactionCommit::Known& known : commit.known) {
    const auto found = next->segments.find(known.segment);
    if (found == next->segments.end()) continue;  // Compacted or dropped meanwhile.
    model::SegmentInfo& segment = found->second;
    segment.deletes_counted = known.deletes_counted;
    segment.deleted_rows = known.deleted_rows;
    if (known.deleted_rows == 0) {
      segment.deletes_applied = std::max(segment.deletes_applied, known.deletes_counted);
    }
    txn.puts.emplace_back(SegmentKey(segment), Encode(segment));
  }
  std::vector<model::DeltaInfo> deltas = next->deltas[commit.vchannel];
  std::erase_if(deltas, [&](const model::DeltaInfo& delta) {
    return std::find(commit.old_deltas.begin(), commit.old_deltas.end(), delta.key) !=
           commit.old_deltas.end();
  });
  deltas.insert(deltas.end(), commit.new_deltas.begin(), commit.new_deltas.end());
  SetDeltas(*next, commit.vchannel, std::move(deltas), txn, unused);
  TRY(impl_->Discard(ctx, std::move(unused), txn));
  return impl_->Commit(ctx, txn, std::move(next));
}

Status Catalog::CommitTruncate(Context& ctx, const model::TruncateCommit& commit) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(commit.collection));
  auto next = std::make_shared<Entry>(*entry);
  store::MetaTxn txn;
  std::vector<std::string> unused;
  for (const auto& [id, segment] : entry->segments) {
    txn.deletes.push_back(SegmentKey(segment));
    AddFolders(commit.collection, id, unused);
  }
  for (const auto& [vchannel, deltas] : entry->deltas) {
    for (const model::DeltaInfo& delta : deltas) {
      txn.deletes.push_back(DeltaKey(delta));
      unused.push_back(delta.key);
    }
  }
  next->segments.clear();
  next->deltas.clear();
  // Of a flush that is on its way the checkpoint is not behind these: it finds itself committed.
  for (const auto& [vchannel, position] : commit.channels) {
    model::ShardCheckpoint& checkpoint = next->checkpoints[vchannel];
    checkpoint = {.position = std::max(checkpoint.position, position),
                  .timestamp = std::max(checkpoint.timestamp, commit.timestamp)};
    txn.puts.emplace_back(CheckpointKey(vchannel), Encode(checkpoint));
  }
  TRY(impl_->Discard(ctx, std::move(unused), txn));
  return impl_->Commit(ctx, txn, std::move(next));
}

Status Catalog::CommitIndex(Context& ctx, SegmentId segment, model::SegmentIndexInfo built) {
  Impl::Turn turn(*impl_);
  const auto entry = impl_->EntryOf(segment);
  if (entry == nullptr) return {};  // Dropped meanwhile.
  const auto& indexes = entry->info->indexes;
  if (std::none_of(indexes.begin(), indexes.end(),
                   [&](const auto& index) { return index.id == built.index; })) {
    return {};
  }
  auto next = std::make_shared<Entry>(*entry);
  model::SegmentInfo& info = next->segments.at(segment);
  std::erase_if(info.indexes, [&](const auto& known) { return known.index == built.index; });
  info.indexes.push_back(std::move(built));
  store::MetaTxn txn;
  txn.puts.emplace_back(SegmentKey(info), Encode(info));
  return impl_->Commit(ctx, txn, std::move(next));
}

Result<model::ShardCheckpoint> Catalog::Checkpoint(Context&, const std::string& vchannel) {
  const auto entry = impl_->EntryOf(vchannel);
  if (entry == nullptr) return model::ShardCheckpoint();
  const auto found = entry->checkpoints.find(vchannel);
  return found == entry->checkpoints.end() ? model::ShardCheckpoint() : found->second;
}

}  // namespace elanus::coord
