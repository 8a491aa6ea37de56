// What the coordinator answers: the catalog, ids and timestamps, and which segments are official.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "base/timestamp.h"
#include "model/requests/collection.h"
#include "model/requests/data.h"
#include "model/requests/shard.h"

namespace elanus::roles {

inline constexpr std::string_view kDescriptionKey = "collection.description";
inline constexpr std::string_view kConsistencyKey = "consistency_level";

using CollectionSnapshot = std::shared_ptr<const model::CollectionInfo>;

/// The catalog's own part of the coordinator. Thread-safe. Changes are durable when they return.
class Catalog {
 public:
  virtual ~Catalog() = default;
  /// Creates with default partition, channels, field ids, and $meta when dynamic. The schema has
  /// been validated. Its indexes are there with it. An identical collection: success. Errors:
  /// kInvalidParameter (exists, different), kSegcore (an analyzer names a file resource that there
  /// is not).
  virtual Status CreateCollection(Context& ctx, const model::CreateCollectionRequest& request) = 0;
  /// Unknown names succeed.
  virtual Status DropCollection(Context& ctx, const model::CollectionName& name) = 0;
  /// kDatabaseNotFound, kCollectionNotFound. A pointer look-up: the hot path calls it.
  virtual Result<CollectionSnapshot> Find(Context& ctx, const model::CollectionName& name) = 0;
  virtual Result<CollectionSnapshot> Find(Context& ctx, CollectionId id) = 0;
  virtual Result<std::vector<CollectionSnapshot>> List(Context& ctx, std::string_view database) = 0;
  /// Sets and removes properties; kDescriptionKey sets the schema's description and kConsistencyKey
  /// the level of reads. Nothing new: success, and nothing changes.
  virtual Status AlterProperties(Context& ctx, CollectionId collection,
                                 const std::vector<model::KeyValue>& set,
                                 const std::vector<std::string>& remove) = 0;
  /// Makes `schema`, an altered copy of the collection's, its next version: new fields, structs and
  /// functions, those without an id, get one that no other has had. In the same moment `indexes`
  /// come and go, as by CreateIndex and DropIndex, and those on fields that are gone go too.
  /// Errors: kSchemaMismatch (schema.version is not the newest any more: look again), those of
  /// CreateIndex, kSegcore (an analyzer names a file resource that there is not).
  virtual Status ChangeSchema(Context& ctx, CollectionId collection, model::CollectionSchema schema,
                              model::IndexChange indexes) = 0;
  /// Sets and removes parameters of an index that do not change what is built. kIndexNotFound.
  virtual Status AlterIndex(Context& ctx, CollectionId collection, const std::string& index_name,
                            const std::vector<model::KeyValue>& set,
                            const std::vector<std::string>& remove) = 0;
  virtual Status Rename(Context& ctx, const model::CollectionName& from, const std::string& to) = 0;
  /// An existing partition: success.
  virtual Status CreatePartition(Context& ctx, const model::CollectionName& name,
                                 const std::string& partition) = 0;
  /// Unknown: success. Errors: kInvalidParameter (default partition, or loaded).
  virtual Status DropPartition(Context& ctx, const model::CollectionName& name,
                               const std::string& partition) = 0;
  /// `info` has everything but id and created. Same name, field and user parameters: success.
  /// Errors: kInvalidParameter (field has another index, name taken).
  virtual Status CreateIndex(Context& ctx, CollectionId collection, model::IndexInfo info) = 0;
  /// Unknown: success. Errors: kInvalidParameter (vector index of a loaded collection).
  virtual Status DropIndex(Context& ctx, CollectionId collection,
                           const std::string& index_name) = 0;
  /// Sets what is wanted in memory. Empty partitions: the whole collection. Adds to what is loaded.
  virtual Status SetLoaded(Context& ctx, CollectionId collection,
                           std::vector<PartitionId> partitions) = 0;
  /// Which fields are left out of what is loaded, until the collection is released.
  virtual Status SetFieldsLeftOut(Context& ctx, CollectionId collection,
                                  std::vector<FieldId> fields) = 0;
  /// Empty partitions: release the whole collection.
  virtual Status SetReleased(Context& ctx, CollectionId collection,
                             std::vector<PartitionId> partitions) = 0;
};

/// Ids and timestamps. Thread-safe, never blocks on I/O in the common case.
class Oracle {
 public:
  virtual ~Oracle() = default;
  /// Strictly increasing over the life of the deployment, restarts included.
  virtual Result<Timestamp> Now(Context& ctx) = 0;
  /// First of `count` consecutive unused ids.
  virtual Result<int64_t> AllocateIds(Context& ctx, int64_t count) = 0;
};

/// Which segments a collection has. Thread-safe.
class Segments {
 public:
  virtual ~Segments() = default;
  /// Flushed segments, ascending by id.
  virtual Result<std::vector<model::SegmentInfo>> ListSegments(Context& ctx,
                                                               CollectionId collection) = 0;
  virtual Result<std::vector<model::DeltaInfo>> ListDeltas(Context& ctx,
                                                           const std::string& vchannel) = 0;
  /// Segments, delta logs and checkpoint of a shard as of one moment: whoever opens segments with
  /// their deletes needs all three to belong together. Empty for an unknown channel.
  virtual Result<model::ShardFiles> ListShard(Context& ctx, const std::string& vchannel) = 0;
  /// One transaction: segments, deltas, checkpoint. A repetition changes nothing, also when its
  /// segments have been compacted since. kCollectionNotFound when it was dropped meanwhile.
  virtual Status CommitFlush(Context& ctx, const model::FlushCommit& commit) = 0;
  /// One transaction: the outputs take the place of the inputs. Delta logs that no segment of the
  /// shard needs any more go with it. What goes becomes garbage. kSegmentNotFound when an input is
  /// not there any more, kCollectionNotFound when the collection was dropped meanwhile.
  virtual Status CommitCompaction(Context& ctx, const model::CompactionCommit& commit) = 0;
  /// One transaction: all segments and delta logs of the collection go, and its checkpoints move to
  /// where the commit says. What goes becomes garbage; flushes and compactions of it that come
  /// later change nothing. kCollectionNotFound when it was dropped meanwhile.
  virtual Status CommitTruncate(Context& ctx, const model::TruncateCommit& commit) = 0;
  /// Notes that a segment's index file is there (or that none is needed: empty key).
  virtual Status CommitIndex(Context& ctx, SegmentId segment, model::SegmentIndexInfo index) = 0;
  virtual Result<model::ShardCheckpoint> Checkpoint(Context& ctx, const std::string& vchannel) = 0;
};

struct Coord {
  Catalog& catalog;
  Oracle& oracle;
  Segments& segments;
};

}  // namespace elanus::roles
