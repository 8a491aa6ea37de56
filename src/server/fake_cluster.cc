// The roles with two searchers and one builder, so that a simulation has something to interleave.
#include "server/fake_cluster.h"

namespace elanus::server {

Config FakeConfig() {
  Config config;
  config.data.index_rows_min = 16;
  config.limits.flush_rate.enabled = false;  // Its clock may stand still.
  config.garbage = {.dropped_s_min = 0, .unknown_s_min = 0, .scan_interval_h = 0};
  return config;
}

Result<std::unique_ptr<RoleSet>> OpenFakeCluster(store::MemoryDisk& disk, Executor& executor,
                                                 Clock& clock, const Config& config) {
  return OpenFakeCluster(
      {.objects = disk.OpenObjects(), .meta = disk.OpenMeta(), .wal = disk.OpenWal()}, executor,
      clock, config);
}

Result<std::unique_ptr<RoleSet>> OpenFakeCluster(RoleStores stores, Executor& executor,
                                                 Clock& clock, const Config& config) {
  return RoleSet::Open(std::move(stores),
                       {.executor = executor,
                        .background = executor,
                        .clock = clock,
                        .search_threads = 2,
                        .search_queue_max = 64,
                        .build_queue_max = 64,
                        .probes = {}},
                       config);
}

}  // namespace elanus::server
