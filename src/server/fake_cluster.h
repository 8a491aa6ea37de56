// All roles in one process on memory stores, a given executor and a clock that stands still: what
// tests and the simulation run against.
#pragma once

#include "server/role_set.h"
#include "store/memory/memory_disk.h"

namespace elanus::server {

/// Small indexes are built, and nothing has a grace time: what is removed too early shows.
Config FakeConfig();

/// On a disk that outlives it; opening recovers what it holds.
Result<std::unique_ptr<RoleSet>> OpenFakeCluster(store::MemoryDisk& disk, Executor& executor,
                                                 Clock& clock, const Config& config = FakeConfig());
/// The same on stores of the caller's.
Result<std::unique_ptr<RoleSet>> OpenFakeCluster(RoleStores stores, Executor& executor,
                                                 Clock& clock, const Config& config = FakeConfig());

}  // namespace elanus::server
