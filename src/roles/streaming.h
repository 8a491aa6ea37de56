// What a streaming node answers: it owns channels, orders writes, keeps fresh rows and leads reads
// of its shards.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "model/requests/shard.h"

namespace elanus::roles {

struct SealResult {
  std::vector<SegmentId> sealed;
  Timestamp timestamp;
};

/// Thread-safe.
class Streaming {
 public:
  virtual ~Streaming() = default;
  /// Orders the write, makes it durable, and returns its timestamp. kSchemaMismatch when its schema
  /// does not come to be known here.
  virtual Result<Timestamp> Append(Context& ctx, model::ShardWrite write) = 0;
  /// Waits for the guarantee; the moment to read the shard at, for reads that are to agree.
  virtual Result<Timestamp> ReadMoment(Context& ctx, const std::string& vchannel,
                                       Timestamp guarantee) = 0;
  /// Waits for the guarantee, then searches fresh rows here and sealed segments on their query
  /// nodes.
  virtual Result<model::PartialHits> Search(Context& ctx, model::ShardSearch search) = 0;
  /// Waits as Search does, then counts what BM25 must know of the shard's rows for the queries'
  /// terms: of several shards it is added up and given to the search of each.
  virtual Result<model::TermTotals> CountTerms(Context& ctx, const model::ShardSearch& search) = 0;
  virtual Result<model::PartialRows> Query(Context& ctx, model::ShardQuery query) = 0;
  /// Starts to serve the channels of a collection (created or recovered).
  virtual Status OpenChannels(Context& ctx, CollectionId collection) = 0;
  /// Stops serving the channels and forgets their fresh rows.
  virtual Status CloseChannels(Context& ctx, CollectionId collection) = 0;
  /// Every row that was written before is gone when it returns, from files and from memory, and
  /// none that is written later: at one moment for all shards, durable as a whole or not at all.
  /// What is loaded stays loaded. kCollectionNotFound.
  virtual Status Truncate(Context& ctx, CollectionId collection) = 0;
  /// Seals the growing segments of a collection; they are flushed in the background.
  virtual Result<SealResult> Seal(Context& ctx, CollectionId collection) = 0;
  /// True once everything up to `timestamp` of the collection is flushed.
  virtual Result<bool> IsFlushed(Context& ctx, CollectionId collection, Timestamp timestamp) = 0;
  /// Loads or releases sealed segments so that they match the catalog. Returns when accepted;
  /// progress tells.
  virtual Status SyncLoaded(Context& ctx, CollectionId collection) = 0;
  /// Returns once every shard of the collection works by its newest schema and properties.
  virtual Status SyncSchema(Context& ctx, CollectionId collection) = 0;
  /// 0..100 over the segments that are to be loaded; kCollectionNotLoaded.
  virtual Result<int64_t> LoadProgress(Context& ctx, CollectionId collection) = 0;
  /// Why the latest try to load the collection failed, in the words and with the code of what
  /// failed; it is tried again. OK: it has not failed.
  virtual Status LoadFailure(Context& ctx, CollectionId collection) = 0;
  /// Rows in growing and sealed segments not yet flushed. partition 0: all.
  virtual Result<int64_t> GrowingRows(Context& ctx, CollectionId collection,
                                      PartitionId partition) = 0;
  /// What reads of the collection are answered from; of one that is not loaded, what is not in
  /// files yet.
  virtual Result<std::vector<model::ServedSegment>> ServedSegments(Context& ctx,
                                                                   CollectionId collection) = 0;
  /// Segments that grow or are being flushed: their files may be there and not be official yet.
  virtual Result<std::vector<SegmentId>> FreshSegments(Context& ctx, CollectionId collection) = 0;
};

}  // namespace elanus::roles
