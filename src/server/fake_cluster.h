// All roles in one process on memory stores, a given executor and a clock that stands still: what
// tests and the simulation run against.
#pragma once

#include <memory>

#include "base/executor.h"
#include "proxy/services.h"
#include "store/memory/memory_disk.h"
#include "streaming/options.h"

namespace elanus::server {

/// Opened on a disk that outlives it; opening recovers what the disk holds.
class FakeCluster {
 public:
  static Result<std::unique_ptr<FakeCluster>> Open(store::MemoryDisk& disk, Executor& executor,
                                                   Clock& clock,
                                                   const streaming::StreamingOptions& options = {});
  ~FakeCluster();
  proxy::Services& services();

 private:
  struct Impl;
  explicit FakeCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::server
