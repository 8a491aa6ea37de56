// The catalog's state and the few steps that all changes share.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "coord/catalog.h"

namespace elanus::coord {

/// What is known of one collection; immutable, replaced as a whole.
struct Entry {
  roles::CollectionSnapshot info;
  std::map<SegmentId, model::SegmentInfo> segments;
  std::map<std::string, std::vector<model::DeltaInfo>> deltas;  // By vchannel.
  std::map<std::string, model::ShardCheckpoint> checkpoints;    // By vchannel.
};

using Groups = std::map<std::string, model::ResourceGroup, std::less<>>;

struct Catalog::Impl {
  Impl(store::MetaStore& m, roles::Oracle& o, Executor& e, const CatalogOptions& c)
      : meta(m), oracle(o), options(c), changing_monitor(e.MakeMonitor()) {}

  store::MetaStore& meta;
  roles::Oracle& oracle;
  const CatalogOptions options;

  // Serialises changes without a mutex over I/O: one change at a time has the turn.
  std::unique_ptr<Monitor> changing_monitor;
  bool changing = false;

  mutable std::shared_mutex mutex;  // Guards the maps; held for look-ups and pointer swaps only.
  std::map<CollectionId, std::shared_ptr<const Entry>> by_id;
  std::map<std::string, CollectionId, std::less<>> by_name;
  std::map<std::string, CollectionId, std::less<>> of_vchannel;
  std::map<std::string, model::FileResource, std::less<>> resources;
  Groups groups;                                 // The default one among them.
  std::map<SegmentId, CollectionId> of_segment;  // Not of the mutex: read and changed within turns.

  /// The turn to change the catalog, for the life of the object.
  class Turn {
   public:
    explicit Turn(Impl& impl) : impl_(impl) {
      std::lock_guard<Monitor> lock(*impl_.changing_monitor);
      while (impl_.changing) impl_.changing_monitor->Wait();
      impl_.changing = true;
    }
    ~Turn() {
      std::lock_guard<Monitor> lock(*impl_.changing_monitor);
      impl_.changing = false;
      impl_.changing_monitor->NotifyAll();
    }

   private:
    Impl& impl_;
  };

  Status CheckDatabase(std::string_view database) const;
  Result<std::shared_ptr<const Entry>> FindEntry(const model::CollectionName& name) const;
  Result<std::shared_ptr<const Entry>> FindEntry(CollectionId id) const;
  /// Null when no collection has the channel.
  std::shared_ptr<const Entry> EntryOf(std::string_view vchannel) const;
  /// Null when no collection has the segment. Only within a turn.
  std::shared_ptr<const Entry> EntryOf(SegmentId segment) const;
  /// Makes `next` the collection's entry, or none if null, and keeps the maps in step. Only within
  /// a turn, or before anybody else sees the catalog.
  void Publish(CollectionId id, std::shared_ptr<const Entry> next);
  /// kGeneralCapacity when `more` partitions times shards are too many. Only within a turn.
  Status CheckCapacity(size_t more) const;
  /// Writes the transaction, then publishes `next` in place of the collection's entry.
  Status Commit(Context& ctx, const store::MetaTxn& txn, std::shared_ptr<const Entry> next);
  /// Adds to the transaction that these objects have lost their last reference. Only within a turn.
  Status Discard(Context& ctx, std::vector<std::string> keys, store::MetaTxn& txn);
  /// Takes the index out of the segments, in `next` and in the transaction; `unused` gets its
  /// files.
  void ForgetIndex(IndexId id, Entry& next, store::MetaTxn& txn,
                   std::vector<std::string>& unused) const;
  /// Adds an index to a description: with an id, a moment, and a name when it has none. False: it
  /// is there already. Errors: those of CreateIndex.
  Result<bool> AddIndex(Context& ctx, model::IndexInfo wanted, model::CollectionInfo& info) const;
  /// The same of each, on the field that it names.
  Status AddIndexes(Context& ctx, std::vector<model::FieldIndex> wanted,
                    model::CollectionInfo& info) const;
  /// kSegcore when an analyzer of the schema names a file resource that there is not. Only within a
  /// turn.
  Status CheckResources(const model::CollectionSchema& schema) const;
  /// What the meta store says of resource groups. Before anybody sees the catalog.
  Status OpenGroups(Context& ctx);
  Groups CopyGroups() const;
  /// Commits changed groups, with the node where it then belongs. Only within a turn.
  Status CommitGroups(Context& ctx, Groups next);
  /// Commits a changed description of a collection.
  Status CommitInfo(Context& ctx, const Entry& old, model::CollectionInfo info);
};

std::string CollectionKey(CollectionId id);
std::string SegmentKey(const model::SegmentInfo& segment);
std::string DeltaKey(const model::DeltaInfo& delta);
std::string CheckpointKey(const std::string& vchannel);
std::string GarbageKey(Timestamp dropped);
std::string ResourceKey(std::string_view name);
std::string GroupKey(std::string_view name);
/// Adds the folders of a segment: column files and index files.
void AddFolders(CollectionId collection, SegmentId segment, std::vector<std::string>& keys);

}  // namespace elanus::coord
