// The catalog: collections, indexes, load state, and which segments are official. In memory as
// immutable snapshots, on the meta store as the truth.
//
// Keys: collection/<id>, segment/<collection>/<id>, delta/<vchannel>/<object key>,
// checkpoint/<vchannel>, garbage/<timestamp>, resource/<name>, group/<name>. Every change is one
// transaction, durable before anybody sees it; changes run one after another.
#pragma once

#include <memory>

#include "base/executor.h"
#include "base/option_spec.h"
#include "model/requests/file_resource.h"
#include "roles/coord.h"
#include "roles/resource_groups.h"
#include "store/meta_store.h"

namespace elanus::coord {

struct CatalogOptions {
  int64_t collections_max = 65536;
  int64_t collections_of_database_max = 65536;
  int64_t partitions_max = 1024;
  int64_t capacity_max = 65536;
  int64_t log_streams = 1;
  int64_t file_resources_max = 1024;
  int64_t resource_groups_max = 1024;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(collections_max, OptionSpec{"quotaAndLimits.limits.maxCollectionNum", "", 1, 1e9,
                                      "Collections there may be."});
    visit(collections_of_database_max, OptionSpec{"quotaAndLimits.limits.maxCollectionNumPerDB", "",
                                                  1, 1e9, "Collections that a database may have."});
    visit(partitions_max, OptionSpec{"rootCoord.maxPartitionNum", "", 1, 65536,
                                     "Partitions a collection may have."});
    visit(capacity_max, OptionSpec{"rootCoord.maxGeneralCapacity", "", 1, 1e9,
                                   "Sum over all collections of partitions times shards."});
    visit(log_streams,
          OptionSpec{"rootCoord.dmlChannelNum", "", 1, 256,
                     "Log streams that the shards are spread over. One sync serves all writes of a "
                     "stream, so on one disk few are better."});
    visit(file_resources_max,
          OptionSpec{"common.fileResource.maxNum", "", 1, 1e6, "File resources there may be."});
    visit(resource_groups_max,
          OptionSpec{"quotaAndLimits.limits.maxResourceGroupNumOfQueryNode", "", 1, 1e6,
                     "Resource groups there may be, the default one among them."});
  }
};

/// Objects that a change of the catalog has left without a reference.
struct Garbage {
  std::vector<std::string> keys;  // Objects; those that end in '/' are folders with all in them.
  Timestamp dropped;              // When; unique.
  template <class V>
  void Fields(V& v) {
    v(1, "keys", keys);
    v(2, "dropped", dropped);
  }
};

/// Thread-safe.
class Catalog final : public roles::Catalog, public roles::Segments, public roles::ResourceGroups {
 public:
  static Result<std::unique_ptr<Catalog>> Open(Context& ctx, store::MetaStore& meta,
                                               roles::Oracle& oracle, Executor& executor,
                                               const CatalogOptions& options);
  ~Catalog() override;

  Status CreateCollection(Context& ctx, const model::CreateCollectionRequest& request) override;
  Status DropCollection(Context& ctx, const model::CollectionName& name) override;
  Result<roles::CollectionSnapshot> Find(Context& ctx, const model::CollectionName& name) override;
  Result<roles::CollectionSnapshot> Find(Context& ctx, CollectionId id) override;
  Result<std::vector<roles::CollectionSnapshot>> List(Context& ctx,
                                                      std::string_view database) override;
  Status AlterProperties(Context& ctx, CollectionId collection,
                         const std::vector<model::KeyValue>& set,
                         const std::vector<std::string>& remove) override;
  Status ChangeSchema(Context& ctx, CollectionId collection, model::CollectionSchema schema,
                      model::IndexChange indexes) override;
  Status AlterIndex(Context& ctx, CollectionId collection, const std::string& index_name,
                    const std::vector<model::KeyValue>& set,
                    const std::vector<std::string>& remove) override;
  Status Rename(Context& ctx, const model::CollectionName& from, const std::string& to) override;
  Status CreatePartition(Context& ctx, const model::CollectionName& name,
                         const std::string& partition) override;
  Status DropPartition(Context& ctx, const model::CollectionName& name,
                       const std::string& partition) override;
  Status CreateIndex(Context& ctx, CollectionId collection, model::IndexInfo info) override;
  Status DropIndex(Context& ctx, CollectionId collection, const std::string& index_name) override;
  Status SetLoaded(Context& ctx, CollectionId collection,
                   std::vector<PartitionId> partitions) override;
  Status SetFieldsLeftOut(Context& ctx, CollectionId collection,
                          std::vector<FieldId> fields) override;
  Status SetReleased(Context& ctx, CollectionId collection,
                     std::vector<PartitionId> partitions) override;

  Result<std::vector<model::SegmentInfo>> ListSegments(Context& ctx,
                                                       CollectionId collection) override;
  Result<std::vector<model::DeltaInfo>> ListDeltas(Context& ctx,
                                                   const std::string& vchannel) override;
  Result<model::ShardFiles> ListShard(Context& ctx, const std::string& vchannel) override;
  /// A collection and what it has in the object store, all of one moment.
  struct CollectionFiles {
    roles::CollectionSnapshot info;
    std::vector<model::ShardFiles> shards;  // As info->vchannels.
  };
  Result<CollectionFiles> ListCollection(Context& ctx, CollectionId collection);
  Status CommitFlush(Context& ctx, const model::FlushCommit& commit) override;
  Status CommitCompaction(Context& ctx, const model::CompactionCommit& commit) override;
  Status CommitTruncate(Context& ctx, const model::TruncateCommit& commit) override;
  Status CommitIndex(Context& ctx, SegmentId segment, model::SegmentIndexInfo index) override;
  Result<model::ShardCheckpoint> Checkpoint(Context& ctx, const std::string& vchannel) override;

  Status CreateGroup(Context& ctx, const std::string& name,
                     const model::ResourceGroupConfig& config) override;
  Status DropGroup(Context& ctx, const std::string& name) override;
  Status UpdateGroups(Context& ctx, const roles::GroupConfigs& wanted) override;
  Status TransferNodes(Context& ctx, const model::NodeTransfer& wanted) override;
  Status TransferReplicas(Context& ctx, const model::ReplicaTransfer& wanted) override;
  Status PutReplica(Context& ctx, CollectionId collection, const std::string& group) override;
  std::vector<std::string> ListGroups() override;
  Result<model::ResourceGroupView> DescribeGroup(const std::string& name) override;
  model::Replica FindReplica(const model::CollectionInfo& collection) override;

  /// A collection with its files, which are there already.
  struct Restored {
    model::CollectionInfo info;  // With ids and channels.
    std::vector<model::SegmentInfo> segments;
    std::vector<model::DeltaInfo> deltas;
  };
  /// Names for the channels of a new collection.
  std::vector<std::string> NewChannels(CollectionId collection, size_t shards) const;
  /// One transaction. Errors: kInvalidParameter (the name is taken), kGeneralCapacity, kSegcore (an
  /// analyzer names a file resource that there is not).
  Status CreateRestored(Context& ctx, Restored restored);

  /// Notes a file resource whose copy is there. False: its name has this path already, and nothing
  /// changes. Errors: kInvalidParameter (the name has another path, there are too many).
  Result<bool> AddFileResource(Context& ctx, model::FileResource resource);
  /// Its copy becomes garbage. Unknown: success. Errors: kInvalidParameter (an analyzer of some
  /// collection names it).
  Status RemoveFileResource(Context& ctx, const std::string& name);
  /// Nothing when there is none of that name.
  std::optional<model::FileResource> FindFileResource(std::string_view name) const;
  /// By name.
  std::vector<model::FileResource> ListFileResources() const;

  /// What was dropped and is not forgotten yet, oldest first.
  Result<std::vector<Garbage>> ListGarbage(Context& ctx);
  /// The objects of the garbage that was dropped at this moment are gone.
  Status ForgetGarbage(Context& ctx, Timestamp dropped);

 private:
  struct Impl;
  explicit Catalog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::coord
