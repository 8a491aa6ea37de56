// One channel's state.
#include "shard/shard.h"

#include <algorithm>
#include <mutex>

#include "index/vector_index.h"

namespace elanus::shard {
namespace {

// A field with FLAT is promised exact answers, so its fresh rows are scanned too.
bool IsExact(const index::IndexType& type) {
  return type.name == "FLAT" || (type.twin != nullptr && type.twin->name == "FLAT");
}

std::vector<segment::ListedField> ListedFields(const model::CollectionInfo& collection) {
  std::vector<segment::ListedField> fields;
  for (const model::IndexInfo& info : collection.indexes) {
    const model::FieldSchema* field = collection.schema.FindField(info.field);
    if (field == nullptr) continue;
    const bool is_lists = field->type == model::DataType::kArrayOfVector;
    const auto element = index::ElementOf(is_lists ? field->element_type : field->type);
    const auto metric = model::MetricOf(info.metric);
    if (!element || !metric || index::KindOf(*element) == index::VectorKind::kBinary) continue;
    if (is_lists && !model::IsMaxSim(*metric)) continue;  // Of single vectors there are no lists.
    const index::VectorKind kind = index::KindOf(*element);
    const index::IndexType* type = index::FindType(kind, info.type);
    if (type == nullptr || IsExact(*type)) continue;
    fields.push_back({.field = info.field, .kind = kind, .metric = *metric});
  }
  return fields;
}

std::shared_ptr<const model::CollectionSchema> SchemaOf(
    const std::shared_ptr<const model::CollectionInfo>& collection) {
  return {collection, &collection->schema};
}

}  // namespace

Shard::Shard(Executor& executor, roles::Query& query, std::string vchannel,
             std::shared_ptr<const model::CollectionInfo> collection,
             model::ShardCheckpoint checkpoint, segment::GrowingIndexer* indexer, Pages* pages,
             const segment::SearchThreads& threads)
    : query_(query),
      indexer_(indexer),
      pages_(pages),
      threads_(threads),
      vchannel_(std::move(vchannel)),
      collection_id_(collection->id),
      collection_(std::move(collection)),
      monitor_(executor.MakeMonitor()) {
  schemas_ = std::make_shared<const model::SchemaVersions>(SchemaOf(collection_));
  checkpoint_ = checkpoint;
  position_ = checkpoint.position;
  applied_ = checkpoint.timestamp;
  std::lock_guard<Monitor> lock(*monitor_);
  PublishLocked();
}

std::shared_ptr<segment::Growing> Shard::GrowingFor(PartitionId partition, SegmentId new_segment) {
  std::shared_ptr<segment::Growing>& slot = growing_[partition];
  if (slot == nullptr) {
    slot =
        std::make_shared<segment::Growing>(new_segment, partition, SchemaOf(collection_), indexer_);
    slot->SetListedFields(ListedFields(*collection_));
  }
  return slot;
}

// True: the rows are the first of a segment.
bool Shard::AppendRows(PartitionId partition, std::span<const model::Column> columns,
                       Timestamp timestamp, SegmentId new_segment) {
  const bool opened = growing_.count(partition) == 0;
  GrowingFor(partition, new_segment)->Append(columns, timestamp);
  return opened;
}

Status Shard::Apply(Context& ctx, const model::ShardWrite& write, Timestamp timestamp,
                    uint64_t position, SegmentId new_segment) {
  if (write.delete_keys.rows > 0) {
    const model::ColumnView keys = write.delete_keys.view();
    const bool everywhere = write.deletes_everywhere || write.partition == PartitionId();
    const PartitionId scope = everywhere ? PartitionId() : write.partition;
    for (const auto& [partition, growing] : growing_) {
      if (everywhere || partition == write.partition) growing->Delete(keys, timestamp);
    }
    for (const auto& growing : sealing_) {
      if (everywhere || growing->partition() == write.partition) growing->Delete(keys, timestamp);
    }
    deletes_.Append(keys, timestamp, scope);
    if (!loaded_.empty()) {
      model::Deletes now;
      now.Append(keys, timestamp, scope);
      TRY(query_.ApplyDeletes(ctx, loaded_, now));
    }
  }
  bool opened = false;
  if (!write.columns.empty()) {
    opened = AppendRows(write.partition, write.columns, timestamp, new_segment);
  }
  int64_t id = new_segment.value();
  for (const model::ShardWrite::PartitionRows& rows : write.more) {
    opened = AppendRows(rows.partition, rows.columns, timestamp, SegmentId(++id)) || opened;
  }
  std::lock_guard<Monitor> lock(*monitor_);
  position_ = position;
  MeasureLocked();
  has_unflushed_ = true;
  newest_record_ = timestamp;
  if (opened) PublishLocked();
  applied_ = std::max(applied_, timestamp);
  monitor_->NotifyAll();
  return {};
}

std::shared_ptr<FlushWork> Shard::Seal(Timestamp now) {
  {
    // Records may have left nothing behind (their partition was dropped); the checkpoint passes
    // them all the same.
    std::lock_guard<Monitor> lock(*monitor_);
    const uint64_t sealed = flushing_.empty() ? checkpoint_.position : flushing_.back()->checkpoint;
    if (position_ <= sealed) return nullptr;
  }
  auto work = std::make_shared<FlushWork>();
  for (auto& [partition, growing] : growing_) {
    sealing_.push_back(growing);
    work->segments.push_back(std::move(growing));
  }
  growing_.clear();
  std::sort(work->segments.begin(), work->segments.end(),
            [](const auto& a, const auto& b) { return a->id() < b->id(); });
  work->deletes = std::move(deletes_);
  deletes_ = {};
  flushing_.push_back(work.get());
  std::lock_guard<Monitor> lock(*monitor_);
  work->checkpoint = position_;
  work->checkpoint_ts = now;
  work->bytes = growing_bytes_;
  growing_bytes_ = 0;
  pending_deletes_ = {};
  oldest_growing_ = Timestamp();
  PublishLocked();
  return work;
}

void Shard::Truncate(Timestamp now) {
  growing_.clear();
  sealing_.clear();
  deletes_ = {};
  flushing_.clear();
  loaded_.clear();
  ++truncations_;
  std::lock_guard<Monitor> lock(*monitor_);
  checkpoint_ = {.position = position_, .timestamp = now};
  has_unflushed_ = false;
  MeasureLocked();
  PublishLocked();
}

void Shard::FinishFlush(const FlushWork& work) {
  if (std::erase(flushing_, &work) == 0) return;
  std::lock_guard<Monitor> lock(*monitor_);
  checkpoint_ = {.position = work.checkpoint, .timestamp = work.checkpoint_ts};
  has_unflushed_ = position_ > checkpoint_.position;
}

Status Shard::Swap(Context& ctx, std::vector<SegmentId> segments,
                   const std::vector<SegmentId>& remove_fresh, bool readable) {
  // Invariant 4. Segments that are loaded already have them; applying again changes nothing.
  for (const FlushWork* work : flushing_) {
    if (work->deletes.keys.rows > 0) TRY(query_.ApplyDeletes(ctx, segments, work->deletes));
  }
  if (deletes_.keys.rows > 0) TRY(query_.ApplyDeletes(ctx, segments, deletes_));
  const auto has = [](const std::vector<SegmentId>& ids, SegmentId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  std::erase_if(sealing_, [&](const auto& growing) {
    return has(remove_fresh, growing->id()) || has(segments, growing->id());
  });
  loaded_ = std::move(segments);
  readable_ = readable;
  std::lock_guard<Monitor> lock(*monitor_);
  PublishLocked();
  return {};
}

void Shard::SetCollection(std::shared_ptr<const model::CollectionInfo> collection) {
  collection_ = std::move(collection);
  const auto is_gone = [&](PartitionId partition) { return !collection_->HasPartition(partition); };
  std::erase_if(growing_, [&](const auto& entry) { return is_gone(entry.first); });
  std::erase_if(sealing_, [&](const auto& growing) { return is_gone(growing->partition()); });
  FollowSchema();
}

void Shard::SetSchema(const model::CollectionInfo& newer) {
  auto next = std::make_shared<model::CollectionInfo>(newer);
  next->partitions = collection_->partitions;
  next->loaded = collection_->loaded;
  next->loaded_partitions = collection_->loaded_partitions;
  collection_ = std::move(next);
  FollowSchema();
}

// Readers that see the new version find segments that have it: those first.
void Shard::FollowSchema() {
  const std::shared_ptr<const model::CollectionSchema> schema = SchemaOf(collection_);
  const std::vector<segment::ListedField> listed = ListedFields(*collection_);
  const auto follow = [&](segment::Growing& growing) {
    if (growing.Snapshot()->schema().version < schema->version) growing.SetSchema(schema);
  };
  for (const auto& [partition, growing] : growing_) {
    follow(*growing);
    growing->SetListedFields(listed);
  }
  for (const auto& growing : sealing_) follow(*growing);
  schemas_ = std::make_shared<const model::SchemaVersions>(schemas_->With(schema));
  std::lock_guard<Monitor> lock(*monitor_);
  MeasureLocked();
  PublishLocked();
  monitor_->NotifyAll();
}

void Shard::MeasureLocked() {
  pending_deletes_ = {};
  if (!deletes_.timestamps.empty()) {
    pending_deletes_ = {.rows = deletes_.timestamps.size(),
                        .bytes = deletes_.keys.data.size() + 24 * deletes_.timestamps.size(),
                        .oldest = Timestamp(deletes_.timestamps.front())};
  }
  growing_bytes_ = pending_deletes_.bytes;
  oldest_growing_ = Timestamp();
  for (const auto& [partition, growing] : growing_) {
    growing_bytes_ += growing->memory_bytes();
    const Timestamp first = growing->first_timestamp();
    if (oldest_growing_ == Timestamp() || first < oldest_growing_) oldest_growing_ = first;
  }
}

std::vector<model::ServedSegment> Shard::Fresh() const {
  std::vector<model::ServedSegment> fresh;
  const auto add = [&](const segment::Growing& growing, model::SegmentState state) {
    model::SegmentInfo info{.id = growing.id(),
                            .collection = collection_id_,
                            .partition = growing.partition(),
                            .vchannel = vchannel_,
                            .state = state,
                            .rows = static_cast<int64_t>(growing.rows())};
    fresh.push_back(
        {.info = std::move(info), .memory_bytes = static_cast<int64_t>(growing.memory_bytes())});
  };
  for (const auto& [partition, growing] : growing_) add(*growing, model::SegmentState::kGrowing);
  for (const auto& growing : sealing_) add(*growing, model::SegmentState::kSealed);
  return fresh;
}

void Shard::PublishLocked() {
  auto state = std::make_shared<State>();
  for (const auto& [partition, growing] : growing_) state->fresh.push_back(growing);
  for (const auto& growing : sealing_) state->fresh.push_back(growing);
  state->loaded = loaded_;
  state->collection = collection_;
  state->readable = readable_;
  state->truncations = truncations_;
  state->schemas = schemas_;
  state_ = std::move(state);
}

void Shard::Advance(Timestamp timestamp) {
  std::lock_guard<Monitor> lock(*monitor_);
  applied_ = std::max(applied_, timestamp);
  monitor_->NotifyAll();
}

void Shard::Announce(Timestamp timestamp) {
  std::lock_guard<Monitor> lock(*monitor_);
  announced_ = std::max(announced_, timestamp);
}

void Shard::Acknowledge(Timestamp timestamp) {
  std::lock_guard<Monitor> lock(*monitor_);
  acknowledged_ = std::max(acknowledged_, timestamp);
}

Result<Timestamp> Shard::WaitFor(Context& ctx, Timestamp guarantee) {
  std::lock_guard<Monitor> lock(*monitor_);
  // Later records cannot carry an earlier timestamp, so what is announced now is all there is to
  // wait for.
  const Timestamp target = std::max(std::min(guarantee, announced_), acknowledged_);
  while (applied_ < target) {
    TRY(ctx.CheckAlive());
    monitor_->WaitFor(/*timeout_ms=*/100);
  }
  return std::max(applied_, std::min(guarantee, announced_));
}

Status Shard::WaitForSchema(Context& ctx, int32_t version, int64_t most_ms) {
  constexpr int64_t kLookMs = 10;
  std::lock_guard<Monitor> lock(*monitor_);
  for (int64_t waited = 0; state_->collection->schema.version < version; waited += kLookMs) {
    if (waited >= most_ms) {
      return Error(ErrorCode::kSchemaMismatch,
                   "{}[channel={}]: version {} of the schema is not known here yet, {} is",
                   InfoOf(ErrorCode::kSchemaMismatch).name, vchannel_, version,
                   state_->collection->schema.version);
    }
    TRY(ctx.CheckAlive());
    monitor_->WaitFor(kLookMs);
  }
  return {};
}

Status Shard::WaitLoaded(Context& ctx, int64_t most_ms) {
  constexpr int64_t kLookMs = 10;
  std::lock_guard<Monitor> lock(*monitor_);
  for (int64_t waited = 0; waited < most_ms; waited += kLookMs) {
    if (state_->readable || !state_->collection->loaded) return {};
    TRY(ctx.CheckAlive());
    monitor_->WaitFor(kLookMs);
  }
  return {};
}

std::shared_ptr<const State> Shard::Read() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return state_;
}
size_t Shard::growing_bytes() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return growing_bytes_;
}
bool Shard::HasUnflushed() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return has_unflushed_;
}
uint64_t Shard::applied_position() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return position_;
}
Timestamp Shard::oldest_growing() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return oldest_growing_;
}
PendingDeletes Shard::pending_deletes() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return pending_deletes_;
}
Timestamp Shard::newest_record() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return newest_record_;
}
Timestamp Shard::flushed_ts() const {
  std::lock_guard<Monitor> lock(*monitor_);
  // What is announced may be acknowledged, and is in no file either.
  const bool unflushed = has_unflushed_ || announced_ > applied_;
  return unflushed ? checkpoint_.timestamp : kTimestampMax;
}
model::ShardCheckpoint Shard::checkpoint() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return checkpoint_;
}

int64_t Shard::FreshRows(PartitionId partition) const {
  const auto state = Read();
  int64_t rows = 0;
  for (const auto& growing : state->fresh) {
    if (partition == PartitionId() || growing->partition() == partition) {
      rows += static_cast<int64_t>(growing->rows());
    }
  }
  return rows;
}

}  // namespace elanus::shard
