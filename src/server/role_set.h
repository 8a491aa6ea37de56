// All roles of one process, wired to one another on stores, an executor and a clock that are given:
// what the standalone server puts fronts before, and what tests and the simulation run on memory.
#pragma once

#include <memory>

#include "proxy/services.h"
#include "server/config.h"
#include "store/meta_store.h"
#include "store/object_store.h"
#include "store/wal.h"

namespace elanus::server {

/// The stores that the roles run on; the set owns them.
struct RoleStores {
  std::unique_ptr<store::ObjectStore> objects;
  std::unique_ptr<store::MetaStore> meta;
  std::unique_ptr<store::Wal> wal;
};

/// What the roles find on their machine.
struct RoleMachine {
  Executor& executor;
  Executor& background;  // For what no request waits for; its monitors are `executor`'s, too.
  Clock& clock;
  size_t search_threads = 1;
  size_t build_threads = 1;
  size_t fan_out_threads = 1;
  size_t search_queue_max = 4096;
  size_t build_queue_max = 1024;
  /// Memory and disk for admission; the bytes stored are asked of the set's own catalog. No memory
  /// probe: every write is let in.
  coord::AdmissionProbes probes;
};

/// Thread safe. Destroyed in the opposite order of its wiring: services first, stores last.
class RoleSet {
 public:
  /// Opens the catalog, recovers from the log, begins the work in the background. Errors say what
  /// is in the way.
  static Result<std::unique_ptr<RoleSet>> Open(RoleStores stores, const RoleMachine& machine,
                                               const Config& config);
  ~RoleSet();
  proxy::Services& services();
  coord::GarbageCollector& garbage();

 private:
  struct Impl;
  explicit RoleSet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::server
