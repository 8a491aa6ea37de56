// All roles on memory stores.
#include "server/fake_cluster.h"

#include "coord/catalog.h"
#include "coord/index_jobs.h"
#include "coord/oracle.h"
#include "coord/snapshots.h"
#include "data/node.h"
#include "query/node.h"
#include "streaming/node.h"

namespace elanus::server {

struct FakeCluster::Impl {
  ~Impl() {
    // Streaming and index jobs call each other, so the calls end before either does.
    if (streaming != nullptr) streaming->Stop();
  }

  FakeStores stores;
  std::unique_ptr<Pool> search_pool;
  std::unique_ptr<Pool> build_pool;
  std::unique_ptr<Pool> fan_out_pool;
  std::unique_ptr<coord::Oracle> oracle;
  std::unique_ptr<coord::Catalog> catalog;
  std::unique_ptr<query::Node> query;
  std::unique_ptr<data::Node> data;
  std::unique_ptr<streaming::Node> streaming;
  std::unique_ptr<coord::IndexJobs> index_jobs;
  std::unique_ptr<coord::Snapshots> snapshots;  // The compactor asks it.
  std::unique_ptr<coord::Compactor> compactor;
  std::unique_ptr<coord::GarbageCollector> garbage;
  std::unique_ptr<proxy::Services> services;
};

FakeCluster::FakeCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FakeCluster::~FakeCluster() = default;
proxy::Services& FakeCluster::services() { return *impl_->services; }
coord::GarbageCollector& FakeCluster::garbage() { return *impl_->garbage; }

Result<std::unique_ptr<FakeCluster>> FakeCluster::Open(store::MemoryDisk& disk, Executor& executor,
                                                       Clock& clock, const FakeOptions& options) {
  return Open({.objects = disk.OpenObjects(), .meta = disk.OpenMeta(), .wal = disk.OpenWal()},
              executor, clock, options);
}

Result<std::unique_ptr<FakeCluster>> FakeCluster::Open(FakeStores stores, Executor& executor,
                                                       Clock& clock, const FakeOptions& options) {
  auto impl = std::make_unique<Impl>();
  Impl& s = *impl;
  Context ctx(clock);
  s.stores = std::move(stores);
  s.search_pool = std::make_unique<Pool>(executor, "search", 2, 64);
  s.build_pool = std::make_unique<Pool>(executor, "build", 1, 64);
  s.fan_out_pool = std::make_unique<Pool>(executor, "fan_out", 1, 64);
  TRY_ASSIGN(s.oracle, coord::Oracle::Open(ctx, *s.stores.meta, executor, clock));
  TRY_ASSIGN(s.catalog, coord::Catalog::Open(ctx, *s.stores.meta, *s.oracle, executor, {}));
  const roles::Coord coord{.catalog = *s.catalog, .oracle = *s.oracle, .segments = *s.catalog};
  s.query = std::make_unique<query::Node>(*s.stores.objects, *s.search_pool);
  s.data = std::make_unique<data::Node>(*s.stores.objects, *s.build_pool,
                                        data::DataOptions{.index_rows_min = 16});
  s.streaming = std::make_unique<streaming::Node>(streaming::NodeParts{.executor = executor,
                                                                       .clock = clock,
                                                                       .wal = *s.stores.wal,
                                                                       .coord = coord,
                                                                       .query = *s.query,
                                                                       .data = *s.data},
                                                  options.streaming);
  streaming::Node* streaming = s.streaming.get();
  s.index_jobs = std::make_unique<coord::IndexJobs>(
      executor, clock, coord, *s.data, [streaming, &clock](CollectionId collection) {
        Context callback_ctx(clock);
        // After a simulated crash nothing can be loaded; the next opening will.
        (void)streaming->SyncLoaded(callback_ctx, collection);
      });
  s.streaming->OnFlushed(
      [jobs = s.index_jobs.get()](CollectionId collection) { jobs->Kick(collection); });
  TRY(s.streaming->Recover(ctx));
  TRY(s.index_jobs->KickAll(ctx));
  s.compactor = std::make_unique<coord::Compactor>(
      executor, clock, coord, *s.data, options.compaction,
      [streaming, jobs = s.index_jobs.get(), &clock](CollectionId collection) {
        Context callback_ctx(clock);
        (void)streaming->SyncLoaded(callback_ctx, collection);  // As above.
        jobs->Kick(collection);
      });
  TRY_ASSIGN(s.snapshots,
             coord::Snapshots::Open(
                 ctx,
                 {.executor = executor,
                  .clock = clock,
                  .meta = *s.stores.meta,
                  .objects = *s.stores.objects,
                  .catalog = *s.catalog,
                  .oracle = *s.oracle,
                  .streaming = *s.streaming,
                  .copy_segment =
                      [data = s.data.get()](Context& copy_ctx, const model::SegmentInfo& from,
                                            model::SegmentInfo& to) {
                        return data->CopySegment(copy_ctx, from, to);
                      },
                  .on_restored = [jobs = s.index_jobs.get()](CollectionId id) { jobs->Kick(id); }},
                 coord::SnapshotOptions()));
  s.compactor->Protect(
      [snapshots = s.snapshots.get()](SegmentId id) { return snapshots->IsProtected(id); });
  s.garbage = std::make_unique<coord::GarbageCollector>(
      coord::GarbageParts{.executor = executor,
                          .clock = clock,
                          .catalog = *s.catalog,
                          .streaming = *s.streaming,
                          .objects = *s.stores.objects,
                          .folders_in_use =
                              [compactor = s.compactor.get(), snapshots = s.snapshots.get()] {
                                std::vector<std::string> keys = compactor->FoldersInUse();
                                for (std::string& key : snapshots->KeysInUse())
                                  keys.push_back(std::move(key));
                                return keys;
                              }},
      options.garbage);
  s.services = std::make_unique<proxy::Services>(proxy::Services{.coord = coord,
                                                                 .streaming = *s.streaming,
                                                                 .index_jobs = *s.index_jobs,
                                                                 .compaction = *s.compactor,
                                                                 .fan_out = *s.fan_out_pool,
                                                                 .clock = clock,
                                                                 .options = {},
                                                                 .snapshots = s.snapshots.get()});
  return std::unique_ptr<FakeCluster>(new FakeCluster(std::move(impl)));
}

}  // namespace elanus::server
