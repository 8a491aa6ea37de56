// The catalog's store on RocksDB, tuned small: it holds a few megabytes of precious keys.
#pragma once

#include <memory>
#include <string>

#include "backend/local/file_system.h"
#include "store/meta_store.h"

namespace rocksdb {
class Env;
}

namespace elanus::backend {

/// Where a RocksDB lies. `env` reaches the same files as `files`; null: the machine's. Both outlive
/// the store.
struct RocksDbMedium {
  FileSystem& files = LocalFileSystem();
  rocksdb::Env* env = nullptr;
};

/// The number of the last commit is kept beside the directory, in DIRECTORY.last-commit: a catalog
/// that ends before it is refused (kIntegrity).
/// A commit that fails has not happened, unless the process dies before the store could look: the
/// store opens its files again as soon as they let it, and undoes what a failed commit has left in
/// them. Until then reads go on and commits are refused with kIoFailed or kDiskLimitExceeded.
Result<std::unique_ptr<store::MetaStore>> OpenRocksDbMetaStore(const std::string& directory,
                                                               const RocksDbMedium& medium = {});

}  // namespace elanus::backend
