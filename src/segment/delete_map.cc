// Changes of maps of deleted rows.
#include "segment/delete_map.h"

#include <algorithm>

namespace elanus::segment {

void DeleteMapChange::Begin() {
  next_ = old_ != nullptr ? std::make_shared<DeleteMap>(*old_) : std::make_shared<DeleteMap>(rows_);
  alive_ = std::make_shared<Bitset>(*next_->alive_);
  is_own_.assign(next_->chunks_.size(), false);
}

DeleteMap::Chunk& DeleteMapChange::OwnChunk(size_t index) {
  std::shared_ptr<DeleteMap::Chunk>& chunk = next_->chunks_[index];
  if (!is_own_[index]) {
    chunk = chunk == nullptr ? std::make_shared<DeleteMap::Chunk>()
                             : std::make_shared<DeleteMap::Chunk>(*chunk);
    is_own_[index] = true;
  }
  return *chunk;
}

void DeleteMapChange::Delete(size_t row, uint64_t timestamp) {
  const DeleteMap* known = next_ != nullptr ? next_.get() : old_;
  const uint64_t before = known == nullptr ? 0 : known->DeletedAt(row);
  if (before != 0 && before <= timestamp) return;
  if (next_ == nullptr) Begin();
  OwnChunk(row / kChunkRows)[row % kChunkRows] = timestamp;
  alive_->Clear(row);
  next_->newest_ = std::max(next_->newest_, Timestamp(timestamp));
}

std::shared_ptr<const DeleteMap> DeleteMapChange::Finish() && {
  if (next_ != nullptr) next_->alive_ = std::move(alive_);
  return std::move(next_);
}

}  // namespace elanus::segment
