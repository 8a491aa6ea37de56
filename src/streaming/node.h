// A streaming node: its channels and shards, recovery from the log, and the flushes and loads that
// follow.
#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"
#include "roles/coord.h"
#include "roles/data.h"
#include "roles/query.h"
#include "roles/streaming.h"
#include "store/wal.h"
#include "streaming/options.h"

namespace elanus::streaming {

struct NodeParts {
  Executor& executor;
  Clock& clock;
  store::Wal& wal;
  roles::Coord coord;
  roles::Query& query;
  roles::Data& data;
  Pool* search_pool = nullptr;  // Helps searches of fresh rows; null: each has its own thread.
};

/// Thread-safe. The parts must outlive it.
class Node final : public roles::Streaming {
 public:
  Node(NodeParts parts, const StreamingOptions& options);
  /// Stops the channels; what is durable stays in the log.
  ~Node() override;

  /// Ends the background work and the channels; what is called later is refused or does nothing.
  /// Idempotent. Must come before the end of whoever OnFlushed names.
  void Stop();

  /// Opens the channels of all collections and replays their log; loading goes on in the
  /// background.
  Status Recover(Context& ctx);
  /// Called after a flush became official, with the collection: index builds hang on it.
  void OnFlushed(std::function<void(CollectionId)> callback);

  /// The earliest moment that an open read of several requests is pinned to, an iterator say;
  /// kTimestampMax: there is none. Rows that were there then are to stay.
  Timestamp OldestOpenRead(CollectionId collection);

  Result<Timestamp> Append(Context& ctx, model::ShardWrite write) override;
  Result<Timestamp> ReadMoment(Context& ctx, const std::string& vchannel,
                               Timestamp guarantee) override;
  Result<model::PartialHits> Search(Context& ctx, model::ShardSearch search) override;
  Result<model::TermTotals> CountTerms(Context& ctx, const model::ShardSearch& search) override;
  Result<model::PartialRows> Query(Context& ctx, model::ShardQuery query) override;
  Status OpenChannels(Context& ctx, CollectionId collection) override;
  Status CloseChannels(Context& ctx, CollectionId collection) override;
  Status Truncate(Context& ctx, CollectionId collection) override;
  Result<roles::SealResult> Seal(Context& ctx, CollectionId collection) override;
  Result<bool> IsFlushed(Context& ctx, CollectionId collection, Timestamp timestamp) override;
  Status SyncLoaded(Context& ctx, CollectionId collection) override;
  Status SyncSchema(Context& ctx, CollectionId collection) override;
  Result<int64_t> LoadProgress(Context& ctx, CollectionId collection) override;
  Status LoadFailure(Context& ctx, CollectionId collection) override;
  Result<int64_t> GrowingRows(Context& ctx, CollectionId collection,
                              PartitionId partition) override;
  Result<std::vector<model::ServedSegment>> ServedSegments(Context& ctx,
                                                           CollectionId collection) override;
  Result<std::vector<SegmentId>> FreshSegments(Context& ctx, CollectionId collection) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::streaming
