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

}  // namespace

Status Catalog::CreateIndex(Context& ctx, CollectionId collection, model::IndexInfo wanted) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(collection));
  if (wanted.name.empty()) {
    const model::IndexInfo* known = entry->info->IndexOf(wanted.field);
    const model::FieldSchema* field = entry->info->schema.FindField(wanted.field);
    if (known != nullptr)
      wanted.name = known->name;
    else if (field != nullptr)
      wanted.name = field->name;
  }
  for (const model::IndexInfo& known : entry->info->indexes) {
    const bool same_field = known.field == wanted.field;
    if (known.name == wanted.name) {
      if (same_field && SameParams(known.user_params, wanted.user_params)) return {};
      return Invalid("at most one distinct index is allowed per field, index name: {}",
                     wanted.name);
    }
    if (same_field) {
      return Invalid("creating multiple indexes on same field is not supported, field has index {}",
                     known.name);
    }
  }
  TRY_ASSIGN(const int64_t id, impl_->oracle.AllocateIds(ctx, 1));
  TRY_ASSIGN(wanted.created, impl_->oracle.Now(ctx));
  wanted.id = IndexId(id);
  model::CollectionInfo info = *entry->info;
  info.indexes.push_back(std::move(wanted));
  return impl_->CommitInfo(ctx, *entry, std::move(info));
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
  for (auto& [segment_id, segment] : next->segments) {
    const auto removed =
        std::erase_if(segment.indexes, [&](const auto& built) { return built.index == id; });
    if (removed > 0) txn.puts.emplace_back(SegmentKey(segment), Encode(segment));
  }
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

Status Catalog::CommitFlush(Context& ctx, const model::FlushCommit& commit) {
  Impl::Turn turn(*impl_);
  TRY_ASSIGN(const auto entry, impl_->FindEntry(commit.collection));
  auto next = std::make_shared<Entry>(*entry);
  store::MetaTxn txn;
  for (const model::SegmentInfo& segment : commit.segments) {
    const auto& partitions = entry->info->partitions;
    const bool partition_lives =
        std::any_of(partitions.begin(), partitions.end(),
                    [&](const auto& partition) { return partition.id == segment.partition; });
    if (!partition_lives || next->segments.count(segment.id) > 0) continue;
    txn.puts.emplace_back(SegmentKey(segment), Encode(segment));
    next->segments[segment.id] = segment;
  }
  for (const model::DeltaInfo& delta : commit.deltas) {
    std::vector<model::DeltaInfo>& known = next->deltas[commit.vchannel];
    const bool repeated = std::any_of(known.begin(), known.end(),
                                      [&](const auto& other) { return other.key == delta.key; });
    if (repeated) continue;
    txn.puts.emplace_back(DeltaKey(delta), Encode(delta));
    known.push_back(delta);
  }
  model::ShardCheckpoint& checkpoint = next->checkpoints[commit.vchannel];
  // A late repetition must not move it back: the log before it may have been cut.
  if (commit.checkpoint >= checkpoint.position) {
    checkpoint = {.position = commit.checkpoint, .timestamp = commit.checkpoint_ts};
  }
  txn.puts.emplace_back(CheckpointKey(commit.vchannel), Encode(checkpoint));
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
