// Wiring of the standalone server. Members are declared in the order in which they depend on one
// another and destroyed in the opposite order: fronts first, stores last.
#include "server/standalone.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/machine.h"
#include "coord/admission.h"
#include "coord/compaction.h"
#include "coord/garbage.h"
#include "coord/index_jobs.h"
#include "coord/oracle.h"
#include "coord/snapshots.h"
#include "query/node.h"
#include "streaming/node.h"

namespace elanus::server {
namespace {

// One worker a core: the machine's threads are what a search can use.
size_t Cores() {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  return cores > 0 ? static_cast<size_t>(cores) : 1;
}

// Of the files that the catalog knows the size of.
int64_t StoredBytes(coord::Catalog& catalog, Clock& clock) {
  Context ctx(clock);
  int64_t bytes = 0;
  const auto collections = catalog.List(ctx, model::kDefaultDatabase);
  if (!collections.ok()) return 0;
  for (const auto& collection : *collections) {
    const auto segments = catalog.ListSegments(ctx, collection->id);
    if (!segments.ok()) continue;  // Dropped meanwhile.
    for (const model::SegmentInfo& segment : *segments) {
      bytes += segment.bytes;
      for (const auto& index : segment.indexes) bytes += index.bytes;
    }
  }
  return bytes;
}

constexpr size_t kSearchQueueMax = 4096;
constexpr size_t kBuildQueueMax = 1024;

// With the memory of this machine where the configuration leaves it open.
coord::IndexJobsOptions OptionsOfJobs(const Config& config) {
  coord::IndexJobsOptions options = config.index_jobs;
  if (options.auto_index_memory_mb == 0) {
    options.auto_index_memory_mb = (ReadMemoryUse().total_bytes / 2) >> 20;
  }
  return options;
}

}  // namespace

struct Standalone::Impl {
  ~Impl() {
    // Streaming and index jobs call each other, so the calls end before either does.
    if (streaming != nullptr) streaming->Stop();
  }

  SystemClock clock;
  std::unique_ptr<Executor> executor = MakeThreadExecutor();
  backend::Stores stores;
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
  std::unique_ptr<coord::Admission> admission;
  std::unique_ptr<proxy::Services> services;
  std::unique_ptr<wire::GrpcServer> grpc;
  std::unique_ptr<wire::ManagementServer> management;
};

Standalone::Standalone(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Standalone::~Standalone() {
  impl_->management.reset();
  impl_->grpc.reset();
}

int Standalone::port() const { return impl_->grpc->port(); }
int Standalone::management_port() const { return impl_->management->port(); }

Result<std::unique_ptr<Standalone>> Standalone::Start(const Config& config) {
  auto impl = std::make_unique<Impl>();
  Impl& s = *impl;
  Context ctx(s.clock);
  TRY_ASSIGN(s.stores, backend::OpenLocal(config.data_directory, config.local));
  // The calling thread takes part in a search, so one worker fewer fills the cores.
  s.search_pool = std::make_unique<Pool>(*s.executor, "search", std::max<size_t>(1, Cores() - 1),
                                         kSearchQueueMax);
  s.build_pool = std::make_unique<Pool>(*s.executor, "build", std::max<size_t>(1, Cores() - 1),
                                        kBuildQueueMax);
  for (size_t i = 0; i < s.build_pool->workers(); ++i) TRY(s.build_pool->Submit(LowerPriority));
  s.fan_out_pool = std::make_unique<Pool>(*s.executor, "fan_out", std::max<size_t>(1, Cores() - 1),
                                          kSearchQueueMax);
  TRY_ASSIGN(s.oracle, coord::Oracle::Open(ctx, *s.stores.meta, *s.executor, s.clock));
  TRY_ASSIGN(s.catalog,
             coord::Catalog::Open(ctx, *s.stores.meta, *s.oracle, *s.executor, config.catalog));
  const roles::Coord coord{.catalog = *s.catalog, .oracle = *s.oracle, .segments = *s.catalog};
  s.query = std::make_unique<query::Node>(*s.stores.objects, *s.search_pool, config.query);
  s.data = std::make_unique<data::Node>(*s.stores.objects, *s.build_pool, config.data);
  streaming::StreamingOptions streaming_options = config.streaming;
  streaming_options.pages = config.query.pages;
  s.streaming = std::make_unique<streaming::Node>(streaming::NodeParts{.executor = *s.executor,
                                                                       .clock = s.clock,
                                                                       .wal = *s.stores.wal,
                                                                       .coord = coord,
                                                                       .query = *s.query,
                                                                       .data = *s.data},
                                                  streaming_options);
  streaming::Node* streaming = s.streaming.get();
  s.index_jobs = std::make_unique<coord::IndexJobs>(
      *s.executor, s.clock, coord, *s.data,
      [streaming, &clock = s.clock](CollectionId collection) {
        Context callback_ctx(clock);
        const Status synced = streaming->SyncLoaded(callback_ctx, collection);
        if (!synced.ok()) LogWarn("loading a new index failed error=\"{}\"", synced.ToString());
      },
      OptionsOfJobs(config));
  s.streaming->OnFlushed(
      [jobs = s.index_jobs.get()](CollectionId collection) { jobs->Kick(collection); });
  TRY(s.streaming->Recover(ctx));
  TRY(s.index_jobs->KickAll(ctx));
  s.compactor = std::make_unique<coord::Compactor>(
      *s.executor, s.clock, coord, *s.data, config.Compaction(),
      [streaming, jobs = s.index_jobs.get(), &clock = s.clock](CollectionId collection) {
        Context callback_ctx(clock);
        const Status synced = streaming->SyncLoaded(callback_ctx, collection);
        if (!synced.ok())
          LogWarn("loading what was compacted failed error=\"{}\"", synced.ToString());
        jobs->Kick(collection);
      });
  TRY_ASSIGN(s.snapshots,
             coord::Snapshots::Open(
                 ctx,
                 {.executor = *s.executor,
                  .clock = s.clock,
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
                 config.snapshots));
  s.compactor->Protect(
      [snapshots = s.snapshots.get()](SegmentId id) { return snapshots->IsProtected(id); });
  s.garbage = std::make_unique<coord::GarbageCollector>(
      coord::GarbageParts{.executor = *s.executor,
                          .clock = s.clock,
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
      config.garbage);
  s.admission = std::make_unique<coord::Admission>(
      *s.executor,
      coord::AdmissionProbes{
          .memory = ReadMemoryUse,
          .disk = [directory = config.data_directory] { return ReadDiskUse(directory); },
          .stored_bytes = [catalog = s.catalog.get(),
                           &clock = s.clock] { return StoredBytes(*catalog, clock); }},
      config.admission);
  s.services = std::make_unique<proxy::Services>(proxy::Services{.coord = coord,
                                                                 .streaming = *s.streaming,
                                                                 .index_jobs = *s.index_jobs,
                                                                 .compaction = *s.compactor,
                                                                 .fan_out = *s.fan_out_pool,
                                                                 .clock = s.clock,
                                                                 .options = config.proxy,
                                                                 .admission = s.admission.get(),
                                                                 .snapshots = s.snapshots.get()});
  wire::GrpcOptions grpc = config.grpc;
  if (grpc.polling_threads == 0) grpc.polling_threads = static_cast<int64_t>(Cores()) + 1;
  TRY_ASSIGN(s.grpc, wire::GrpcServer::Start(*s.executor, *s.services, grpc));
  TRY_ASSIGN(s.management, wire::ManagementServer::Start(*s.executor, config.management));
  return std::unique_ptr<Standalone>(new Standalone(std::move(impl)));
}

}  // namespace elanus::server
