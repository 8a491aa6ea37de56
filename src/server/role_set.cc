// Members are declared in the order in which they depend on one another and destroyed in the
// opposite order.
#include "server/role_set.h"

#include "backend/log_queue.h"
#include "base/log.h"
#include "coord/file_resources.h"
#include "coord/oracle.h"
#include "proxy/collection_limits.h"
#include "server/catalog_check.h"
#include "streaming/node.h"

namespace elanus::server {
namespace {

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

}  // namespace

struct RoleSet::Impl {
  Impl(RoleStores given, const RoleMachine& on, const Config& with)
      : machine(on), config(with), stores(std::move(given)) {}
  ~Impl() {
    // Streaming and index jobs call each other, so the calls end before either does.
    if (streaming != nullptr) streaming->Stop();
  }

  void OpenPools();
  Status OpenNodes(Context& ctx);
  Status OpenJobs(Context& ctx);
  Status OpenSnapshots(Context& ctx);
  void OpenCompactor();
  void OpenServices();
  // After a simulated crash nothing can be loaded; the next opening will.
  void LoadAnew(CollectionId collection, std::string_view why) const;
  roles::Coord coord() const {
    return {.catalog = *catalog, .oracle = *oracle, .segments = *catalog};
  }

  const RoleMachine machine;
  const Config config;
  RoleStores stores;
  std::unique_ptr<Pool> fetch_pool;  // Of a remote object store.
  std::unique_ptr<Pool> search_pool;
  std::unique_ptr<Pool> build_pool;
  std::unique_ptr<Pool> fan_out_pool;
  std::unique_ptr<coord::Oracle> oracle;
  std::unique_ptr<coord::Catalog> catalog;
  std::unique_ptr<coord::FileResources> file_resources;  // Analyzers read from it.
  std::unique_ptr<query::Node> query;
  std::unique_ptr<backend::LogQueue> queue;  // The log's streams are topics of it.
  std::unique_ptr<data::Node> data;
  std::unique_ptr<streaming::Node> streaming;
  std::unique_ptr<coord::IndexJobs> index_jobs;
  std::unique_ptr<coord::Snapshots> snapshots;  // The compactor asks it.
  std::unique_ptr<coord::Compactor> compactor;
  std::unique_ptr<coord::GarbageCollector> garbage;
  std::unique_ptr<coord::Admission> admission;
  std::unique_ptr<proxy::CollectionLimits> limits;
  std::unique_ptr<proxy::Services> services;
};

void RoleSet::Impl::LoadAnew(CollectionId collection, std::string_view why) const {
  Context ctx(machine.clock);
  const Status synced = streaming->SyncLoaded(ctx, collection);
  if (!synced.ok()) LogWarn("loading {} failed error=\"{}\"", why, synced.ToString());
}

void RoleSet::Impl::OpenPools() {
  if (stores.objects->IsRemote() && config.query.fetches_max > 1) {
    // Whoever loads takes part. They check what they have fetched, and searches go before that.
    fetch_pool = std::make_unique<Pool>(machine.background, "fetch",
                                        static_cast<size_t>(config.query.fetches_max - 1),
                                        machine.search_queue_max);
  }
  search_pool = std::make_unique<Pool>(machine.executor, "search", machine.search_threads,
                                       machine.search_queue_max);
  build_pool = std::make_unique<Pool>(machine.background, "build", machine.build_threads,
                                      machine.build_queue_max);
  fan_out_pool = std::make_unique<Pool>(machine.executor, "fan_out", machine.fan_out_threads,
                                        machine.search_queue_max);
}

Status RoleSet::Impl::OpenNodes(Context& ctx) {
  TRY_ASSIGN(oracle, coord::Oracle::Open(ctx, *stores.meta, machine.executor, machine.clock));
  TRY(CheckCatalogBelongs(ctx, *oracle,
                          {.wal = *stores.wal,
                           .objects = *stores.objects,
                           .log_streams = static_cast<size_t>(config.catalog.log_streams)}));
  TRY_ASSIGN(catalog,
             coord::Catalog::Open(ctx, *stores.meta, *oracle, machine.executor, config.catalog));
  TRY_ASSIGN(file_resources, coord::FileResources::Open(ctx, {.clock = machine.clock,
                                                              .objects = *stores.objects,
                                                              .catalog = *catalog,
                                                              .oracle = *oracle}));
  TRY_ASSIGN(queue, backend::LogQueue::Open(ctx,
                                            {.executor = machine.executor,
                                             .clock = machine.clock,
                                             .meta = *stores.meta,
                                             .wal = *stores.wal},
                                            config.queue));
  query = std::make_unique<query::Node>(
      *stores.objects, *search_pool, config.query,
      fetch_pool == nullptr ? segment::Fetches() : segment::Fetches(*fetch_pool));
  data = std::make_unique<data::Node>(machine.executor, *stores.objects, *build_pool, config.data);
  streaming::StreamingOptions options = config.streaming;
  options.pages = config.query.pages;
  options.batch = config.query.batch;
  streaming =
      std::make_unique<streaming::Node>(streaming::NodeParts{.executor = machine.executor,
                                                             .clock = machine.clock,
                                                             .wal = queue->log(),
                                                             .coord = coord(),
                                                             .query = *query,
                                                             .data = *data,
                                                             .search_pool = search_pool.get()},
                                        options);
  return {};
}

Status RoleSet::Impl::OpenJobs(Context& ctx) {
  index_jobs = std::make_unique<coord::IndexJobs>(
      machine.background, machine.clock, coord(), *data,
      [this](CollectionId collection) { LoadAnew(collection, "a new index"); }, config.index_jobs);
  streaming->OnFlushed([this](CollectionId collection) { index_jobs->Kick(collection); });
  TRY(streaming->Recover(ctx));
  TRY(index_jobs->KickAll(ctx));
  return {};
}

Status RoleSet::Impl::OpenSnapshots(Context& ctx) {
  TRY_ASSIGN(
      snapshots,
      coord::Snapshots::Open(
          ctx,
          {.executor = machine.background,
           .clock = machine.clock,
           .meta = *stores.meta,
           .objects = *stores.objects,
           .catalog = *catalog,
           .oracle = *oracle,
           .streaming = *streaming,
           .copy_segment =
               [this](Context& copy_ctx, const model::SegmentInfo& from, model::SegmentInfo& to) {
                 return data->CopySegment(copy_ctx, from, to);
               },
           .on_restored = [this](CollectionId id) { index_jobs->Kick(id); }},
          config.snapshots));
  return {};
}

// After the snapshots: it may rewrite segments from its first moment on.
void RoleSet::Impl::OpenCompactor() {
  coord::CompactionHooks hooks{
      .on_done =
          [this](CollectionId collection) {
            LoadAnew(collection, "what was compacted");
            index_jobs->Kick(collection);
          },
      .is_protected = [this](SegmentId id) { return snapshots->IsProtected(id); },
      .oldest_open_read =
          [this](CollectionId collection) { return streaming->OldestOpenRead(collection); }};
  compactor = std::make_unique<coord::Compactor>(machine.background, machine.clock, coord(), *data,
                                                 config.Compaction(), std::move(hooks));
}

void RoleSet::Impl::OpenServices() {
  garbage = std::make_unique<coord::GarbageCollector>(
      coord::GarbageParts{.executor = machine.background,
                          .clock = machine.clock,
                          .catalog = *catalog,
                          .streaming = *streaming,
                          .objects = *stores.objects,
                          .folders_in_use =
                              [this] {
                                std::vector<std::string> keys = compactor->FoldersInUse();
                                for (std::string& key : snapshots->KeysInUse())
                                  keys.push_back(std::move(key));
                                return keys;
                              },
                          .keys_in_use =
                              [this] {
                                Context ctx(machine.clock);
                                return query->KeysInUse(ctx);
                              }},
      config.garbage);
  if (machine.probes.memory) {
    coord::AdmissionProbes probes = machine.probes;
    probes.stored_bytes = [this] { return StoredBytes(*catalog, machine.clock); };
    admission =
        std::make_unique<coord::Admission>(machine.executor, std::move(probes), config.admission);
  }
  limits = std::make_unique<proxy::CollectionLimits>(
      machine.clock,
      [this](Context& ctx, CollectionId collection) {
        return catalog->ListSegments(ctx, collection);
      },
      config.limits);
  services =
      std::make_unique<proxy::Services>(proxy::Services{.coord = coord(),
                                                        .resource_groups = *catalog,
                                                        .streaming = *streaming,
                                                        .index_jobs = *index_jobs,
                                                        .compaction = *compactor,
                                                        .fan_out = *fan_out_pool,
                                                        .clock = machine.clock,
                                                        .options = config.Proxy(),
                                                        .admission = admission.get(),
                                                        .snapshots = snapshots.get(),
                                                        .models = nullptr,
                                                        .limits = limits.get(),
                                                        .file_resources = file_resources.get()});
}

RoleSet::RoleSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RoleSet::~RoleSet() = default;
proxy::Services& RoleSet::services() { return *impl_->services; }
coord::GarbageCollector& RoleSet::garbage() { return *impl_->garbage; }

Result<std::unique_ptr<RoleSet>> RoleSet::Open(RoleStores stores, const RoleMachine& machine,
                                               const Config& config) {
  auto impl = std::make_unique<Impl>(std::move(stores), machine, config);
  Context ctx(machine.clock);
  impl->OpenPools();
  TRY(impl->OpenNodes(ctx));
  TRY(impl->OpenJobs(ctx));
  TRY(impl->OpenSnapshots(ctx));
  impl->OpenCompactor();
  impl->OpenServices();
  return std::unique_ptr<RoleSet>(new RoleSet(std::move(impl)));
}

}  // namespace elanus::server
