// Stores in memory for tests and the simulation: what is synced survives a simulated crash, the
// rest may not.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/executor.h"
#include "store/meta_store.h"
#include "store/object_store.h"
#include "store/wal.h"

namespace elanus::store {

/// The medium. Outlives the stores opened on it; stores opened before a Crash refuse everything
/// after it. Thread-safe.
class MemoryDisk {
 public:
  /// `executor` may be null; else each store call yields to it, so that a seed can interleave
  /// there.
  explicit MemoryDisk(Executor* executor = nullptr) : executor_(executor) {}

  std::unique_ptr<ObjectStore> OpenObjects();
  std::unique_ptr<MetaStore> OpenMeta();
  std::unique_ptr<Wal> OpenWal();

  /// Power goes: calls in flight and later ones of open stores fail, and the records of an append
  /// that had not returned yet are kept up to a place that `rng` draws, the last of them perhaps
  /// torn (then cut at reopening).
  void Crash(std::mt19937_64& rng);
  /// The next `count` appends to logs, puts of objects or commits of metadata fail with kIoFailed
  /// and leave nothing.
  void FailAppends(int count);
  void FailPuts(int count);
  void FailCommits(int count);

 private:
  friend class MemoryObjects;
  friend class MemoryMeta;
  friend class MemoryWal;
  struct Stream {
    std::vector<WalRecord> records;    // Durable.
    std::vector<std::string> pending;  // Of the append in flight.
    WalPosition last = 0;
  };
  /// Lets others run; false when the store's generation is over.
  bool Alive(uint64_t generation);

  Executor* executor_;
  std::mutex mutex_;  // Guards the members below.
  uint64_t generation_ = 1;
  int fail_appends_ = 0;
  int fail_puts_ = 0;
  int fail_commits_ = 0;
  std::map<std::string, std::shared_ptr<const std::string>> objects_;
  std::map<std::string, std::string> meta_;
  std::map<std::string, Stream> streams_;
};

}  // namespace elanus::store
