// One channel's state: applies the log in order, knows its segments, answers reads at a moment.
//
// Invariants:
// 1. Apply, Seal, Swap and the other changes run on the channel's worker, one after another, in log
//    order.
// 2. Readers take an immutable State by one pointer and see one moment of the segment list.
// 3. A row is in exactly one segment of a State: growing, sealing (full, being written) or loaded.
// 4. Deletes since the last committed flush are kept; whoever swaps a loaded segment in applies
//    them first, so a loaded segment knows every delete that was applied before it became visible.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/executor.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "model/requests/shard.h"
#include "model/schema_versions.h"
#include "roles/query.h"
#include "segment/growing.h"
#include "segment/search_tasks.h"
#include "shard/pages.h"

namespace elanus::shard {

/// What readers see.
struct State {
  std::vector<std::shared_ptr<segment::Growing>> fresh;  // Growing and sealing.
  std::vector<SegmentId> loaded;                         // On the query node.
  std::shared_ptr<const model::CollectionInfo> collection;
  bool readable = false;     // Loading has finished once.
  uint64_t truncations = 0;  // How often the shard has lost its rows since the start.
  std::shared_ptr<const model::SchemaVersions> schemas;  // The collection's is the newest.
};

/// Everything of a sealed shard state that a flush writes.
struct FlushWork {
  std::vector<std::shared_ptr<segment::Growing>> segments;
  model::Deletes deletes;
  size_t bytes = 0;
  uint64_t checkpoint = 0;
  Timestamp checkpoint_ts;
};

/// Deletes since the last seal: they are in the log and in memory only.
struct PendingDeletes {
  size_t rows = 0;
  size_t bytes = 0;
  Timestamp oldest;  // 0: there are none.
};

class Shard {
 public:
  /// `indexer`, of the lists of growing segments, and `pages`, of iterators, may be null; they and
  /// the pool of `threads`, which help a search of fresh rows, must outlive the shard.
  Shard(Executor& executor, roles::Query& query, std::string vchannel,
        std::shared_ptr<const model::CollectionInfo> collection, model::ShardCheckpoint checkpoint,
        segment::GrowingIndexer* indexer = nullptr, Pages* pages = nullptr,
        const segment::SearchThreads& threads = {});

  const std::string& vchannel() const { return vchannel_; }
  CollectionId collection() const { return collection_id_; }
  Pages* pages() const { return pages_; }
  const segment::SearchThreads& threads() const { return threads_; }

  // -- On the channel's worker ------------------------------------------------------------------
  /// Applies one record. `new_segment` and the ids behind it, one for each further partition of the
  /// record, are used where the record opens a growing segment.
  Status Apply(Context& ctx, const model::ShardWrite& write, Timestamp timestamp, uint64_t position,
               SegmentId new_segment);
  /// Closes the growing segments and hands over what is to be flushed; null when every record is in
  /// an earlier hand-over. `now` is a fresh timestamp: every record so far is older, every later
  /// one newer.
  std::shared_ptr<FlushWork> Seal(Timestamp now);
  /// Forgets every row and every delete, also those on their way into files: the catalog has
  /// forgotten the shard's files, and its checkpoint is that of the newest record. `now` as of
  /// Seal.
  void Truncate(Timestamp now);
  /// The flush is official: `loaded` segments take the place of the sealed ones in reads. Nothing
  /// when it is of before a truncation.
  void FinishFlush(const FlushWork& work);
  /// Applies the pending deletes to `segments`, then shows exactly `segments` as the loaded ones,
  /// they and `remove_fresh` leaving the fresh ones in the same moment. `readable`: reads may
  /// begin.
  Status Swap(Context& ctx, std::vector<SegmentId> segments,
              const std::vector<SegmentId>& remove_fresh, bool readable);
  /// A new version of schema, partitions or load state. The caller has read it from the catalog on
  /// this worker: whatever partition has rows here and is not in it has been dropped.
  void SetCollection(std::shared_ptr<const model::CollectionInfo> collection);
  /// The growing segments, and those that are sealed and not in official files yet.
  std::vector<model::ServedSegment> Fresh() const;
  /// A new version of schema, indexes and properties; partitions and load state stay as they are.
  void SetSchema(const model::CollectionInfo& newer);

  // -- Any thread -------------------------------------------------------------------------------
  /// The moment has come to see everything up to `timestamp`.
  void Advance(Timestamp timestamp);
  /// A record with this timestamp is on its way into the log.
  void Announce(Timestamp timestamp);
  /// The record with this timestamp is in the log: its writer may be told so before it is applied.
  void Acknowledge(Timestamp timestamp);
  /// Waits until every announced record up to `guarantee` is applied, and every acknowledged one:
  /// whoever reads after a write was acknowledged sees it, whatever the guarantee. Returns the
  /// moment to read at.
  Result<Timestamp> WaitFor(Context& ctx, Timestamp guarantee);
  /// Returns once the shard has this version of the schema, or a newer one. kSchemaMismatch when
  /// `most_ms` are over.
  Status WaitForSchema(Context& ctx, int32_t version, int64_t most_ms);
  /// Returns once the shard can be read, its collection is not to be loaded, or `most_ms` are over.
  Status WaitLoaded(Context& ctx, int64_t most_ms);
  std::shared_ptr<const State> Read() const;
  size_t growing_bytes() const;
  bool HasUnflushed() const;
  uint64_t applied_position() const;
  /// Everything up to this moment is in the object store.
  Timestamp flushed_ts() const;
  Timestamp oldest_growing() const;
  PendingDeletes pending_deletes() const;
  /// Of the newest record; 0 when there was none since the start.
  Timestamp newest_record() const;
  model::ShardCheckpoint checkpoint() const;
  int64_t FreshRows(PartitionId partition) const;

 private:
  std::shared_ptr<segment::Growing> GrowingFor(PartitionId partition, SegmentId new_segment);
  bool AppendRows(PartitionId partition, std::span<const model::Column> columns,
                  Timestamp timestamp, SegmentId new_segment);
  void FollowSchema();
  void MeasureLocked();
  void PublishLocked();

  roles::Query& query_;
  segment::GrowingIndexer* const indexer_;
  Pages* const pages_;
  const segment::SearchThreads threads_;
  const std::string vchannel_;
  const CollectionId collection_id_;

  // Worker only.
  std::unordered_map<PartitionId, std::shared_ptr<segment::Growing>> growing_;
  std::vector<std::shared_ptr<segment::Growing>> sealing_;
  model::Deletes deletes_;                  // Since the last Seal.
  std::vector<const FlushWork*> flushing_;  // Sealed, not yet committed; their deletes count too.
  std::vector<SegmentId> loaded_;
  std::shared_ptr<const model::CollectionInfo> collection_;
  std::shared_ptr<const model::SchemaVersions> schemas_;
  bool readable_ = false;
  uint64_t truncations_ = 0;

  std::unique_ptr<Monitor> monitor_;  // Guards the members below.
  std::shared_ptr<const State> state_;
  Timestamp announced_;
  Timestamp acknowledged_;
  Timestamp applied_;
  uint64_t position_ = 0;
  size_t growing_bytes_ = 0;
  bool has_unflushed_ = false;
  Timestamp oldest_growing_;
  PendingDeletes pending_deletes_;
  Timestamp newest_record_;
  model::ShardCheckpoint checkpoint_;
};

}  // namespace elanus::shard
