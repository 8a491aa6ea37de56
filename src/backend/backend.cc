// The embedded stores under one directory.
#include "backend/backend.h"

#include "backend/local/directory_lock.h"
#include "backend/local/file_object_store.h"
#include "backend/local/file_wal.h"
#include "backend/rocksdb/rocksdb_meta_store.h"

namespace elanus::backend {

Result<Stores> OpenLocal(const std::string& directory, const LocalOptions& options) {
  Stores stores;
  TRY_ASSIGN(stores.lock, DirectoryLock::Take(directory));
  TRY_ASSIGN(stores.objects, OpenFileObjectStore(directory + "/objects"));
  TRY_ASSIGN(stores.meta, OpenRocksDbMetaStore(directory + "/meta"));
  TRY_ASSIGN(stores.wal,
             OpenFileWal(directory + "/wal",
                         {.file_bytes_max = options.log_file_bytes_max, .sync = options.log_sync}));
  return stores;
}

}  // namespace elanus::backend
