// Opens the stores that a server runs on.
#pragma once

#include <memory>
#include <string>

#include "backend/object_store_options.h"
#include "base/option_spec.h"
#include "store/meta_store.h"
#include "store/object_store.h"
#include "store/wal.h"

namespace elanus::backend {

class DirectoryLock;

/// Destroyed in reverse order: the lock goes last.
struct Stores {
  std::shared_ptr<DirectoryLock> lock;
  std::unique_ptr<store::ObjectStore> objects;
  std::unique_ptr<store::MetaStore> meta;
  std::unique_ptr<store::Wal> wal;
};

struct LocalOptions {
  int64_t log_file_bytes_max = 256 << 20;
  bool log_sync = true;

  template <class Visitor>
  void Describe(Visitor& visit) {
    visit(log_file_bytes_max,
          OptionSpec{"wal.fileMaxSize", "bytes", 1 << 20, 4e9, "A new log file begins beyond it."});
    visit(log_sync, OptionSpec{"wal.sync", "", 0, 1,
                               "False: an acknowledged write may be lost when the power goes."});
  }
};

/// Everything under one directory: LOCK, objects/, meta/, wal/. kOldSession when another process
/// has it.
Result<Stores> OpenLocal(const std::string& directory, const LocalOptions& options);

/// The same, but for the objects, which lie where the second options say.
Result<Stores> OpenStores(const std::string& directory, const LocalOptions& options,
                          const ObjectStoreOptions& objects);

struct RocksDbMedium;
/// The same on a medium of the caller's, which nobody else has: without a lock.
Result<Stores> OpenOn(const RocksDbMedium& medium, const std::string& directory,
                      const LocalOptions& options);

}  // namespace elanus::backend
