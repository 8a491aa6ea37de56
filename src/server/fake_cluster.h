// All roles in one process on memory stores, a given executor and a clock that stands still: what
// tests and the simulation run against.
#pragma once

#include <memory>

#include "base/executor.h"
#include "coord/compaction.h"
#include "coord/garbage.h"
#include "proxy/services.h"
#include "store/memory/memory_disk.h"
#include "streaming/options.h"

namespace elanus::server {

struct FakeOptions {
  streaming::StreamingOptions streaming;
  coord::CompactionOptions compaction;
  /// No grace: what is removed too early shows.
  coord::GarbageOptions garbage{.dropped_s_min = 0, .unknown_s_min = 0, .scan_interval_h = 0};
};

/// The stores that a cluster runs on; it owns them.
struct FakeStores {
  std::unique_ptr<store::ObjectStore> objects;
  std::unique_ptr<store::MetaStore> meta;
  std::unique_ptr<store::Wal> wal;
};

/// Opened on a disk that outlives it, or on stores; opening recovers what they hold.
class FakeCluster {
 public:
  static Result<std::unique_ptr<FakeCluster>> Open(store::MemoryDisk& disk, Executor& executor,
                                                   Clock& clock, const FakeOptions& options = {});
  static Result<std::unique_ptr<FakeCluster>> Open(FakeStores stores, Executor& executor,
                                                   Clock& clock, const FakeOptions& options = {});
  ~FakeCluster();
  proxy::Services& services();
  coord::GarbageCollector& garbage();

 private:
  struct Impl;
  explicit FakeCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::server
