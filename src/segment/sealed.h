// A sealed segment: immutable columns and indexes that are opened when somebody needs them, and
// what was deleted since.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/requests/collection.h"
#include "model/requests/shard.h"
#include "segment/fetches.h"
#include "segment/fill.h"
#include "segment/load_rules.h"
#include "segment/manifest.h"
#include "segment/piece_cache.h"
#include "segment/segment.h"
#include "segment/segment_file.h"
#include "store/object_store.h"

namespace elanus::segment {

/// What a segment is opened with. `objects` must outlive it.
struct SealedParts {
  store::ObjectStore& objects;
  std::shared_ptr<PieceCache> cache;
  LoadOptions load = {};
  std::shared_ptr<Fillers> fillers = std::make_shared<Fillers>();   // Of the collection.
  std::shared_ptr<KeysInUse> keys = std::make_shared<KeysInUse>();  // Of a remote store.
  Fetches fetches = {};                                             // By the load.
};

/// Thread-safe: any number of readers; deletes and new indexes are published to later snapshots.
class Sealed {
 public:
  /// Opens keys and insert timestamps, which stay open, and looks through nullable vector fields
  /// and those of terms. Takes hold of every other file, so that they can be removed while the
  /// segment is there; of those of a remote store, which are fetched when somebody reads them, it
  /// notes the keys as in use.
  /// Errors: kIntegrity, kIoFailed, kKeyNotFound.
  static Result<std::shared_ptr<Sealed>> Open(Context& ctx, const SealedParts& parts,
                                              const model::SegmentInfo& segment,
                                              const model::CollectionInfo& collection);
  ~Sealed();
  /// Takes hold of the indexes that the segment has by now, and forgets dropped ones. Errors: as
  /// Open.
  Status SyncIndexes(Context& ctx, const model::SegmentInfo& segment,
                     const model::CollectionInfo& collection);
  /// From now on rows have these fields too; fields that the schema has no more stay readable by
  /// older versions of it. An older version changes nothing.
  void SetSchema(const model::CollectionSchema& schema);
  /// Opens the columns and indexes of these segments that are to be opened then, as far as the
  /// cache has room for them. With kSync, and where the cache could hold all there is, looks at the
  /// checksums of the other columns too, so that the first search need not. Errors: as Open.
  static Status Warm(Context& ctx, const std::vector<std::shared_ptr<Sealed>>& segments,
                     WarmUp when, const Fetches& fetches = {});
  /// Some column or index is to be opened then.
  bool IsToBeWarmed(WarmUp when) const;
  /// Hides rows with these keys and older insert timestamps, where the deletes reach the segment's
  /// partition.
  void ApplyDeletes(const model::Deletes& deletes);
  /// Of what is open of it, in memory or mapped.
  int64_t CountMemory() const;
  /// A view for one read: it keeps open what it has read until it goes or lets go of it. Opening
  /// ends when `caller` has gone, which outlives the view; null: a view that outlives its read.
  std::shared_ptr<const SegmentView> Snapshot(const Context* caller = nullptr) const;
  /// The same as another version of the schema tells it, which SetSchema has brought.
  std::shared_ptr<const SegmentView> Snapshot(std::shared_ptr<const model::CollectionSchema> schema,
                                              const Context* caller = nullptr) const;

 private:
  struct Impl;
  struct WarmUpList;
  void ListToBeOpened(WarmUp when, WarmUpList& list) const;
  Status VerifyColumns(Context& ctx) const;
  explicit Sealed(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::segment
