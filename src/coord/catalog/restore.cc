// Collections that come with their files.
#include "base/fields.h"
#include "coord/catalog/impl.h"
#include "model/channel.h"

namespace elanus::coord {

std::vector<std::string> Catalog::NewChannels(CollectionId collection, size_t shards) const {
  std::vector<std::string> vchannels;
  for (size_t i = 0; i < shards; ++i) {
    const size_t stream = i % static_cast<size_t>(impl_->options.log_streams);
    vchannels.push_back(model::MakeVChannel(model::StreamName(stream), collection, i));
  }
  return vchannels;
}

Status Catalog::CreateRestored(Context& ctx, Restored restored) {
  model::CollectionInfo& info = restored.info;
  Impl::Turn turn(*impl_);
  const model::CollectionName name{.database = info.database, .collection = info.schema.name};
  if (impl_->FindEntry(name).ok()) {
    return Invalid("the collection to restore into exists already: {}", info.schema.name);
  }
  TRY(impl_->CheckResources(info.schema));
  TRY(impl_->CheckCapacity(info.vchannels.size() * info.partitions.size()));
  auto entry = std::make_shared<Entry>();
  store::MetaTxn txn;
  txn.puts.emplace_back(CollectionKey(info.id), Encode(info));
  for (model::SegmentInfo& segment : restored.segments) {
    txn.puts.emplace_back(SegmentKey(segment), Encode(segment));
    entry->segments[segment.id] = std::move(segment);
  }
  for (model::DeltaInfo& delta : restored.deltas) {
    txn.puts.emplace_back(DeltaKey(delta), Encode(delta));
    entry->deltas[delta.vchannel].push_back(std::move(delta));
  }
  for (const std::string& vchannel : info.vchannels) {
    // The log has nothing of it.
    const model::ShardCheckpoint checkpoint{.position = 0, .timestamp = info.created};
    txn.puts.emplace_back(CheckpointKey(vchannel), Encode(checkpoint));
    entry->checkpoints[vchannel] = checkpoint;
  }
  entry->info = std::make_shared<const model::CollectionInfo>(std::move(info));
  return impl_->Commit(ctx, txn, std::move(entry));
}

}  // namespace elanus::coord
