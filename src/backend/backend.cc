// The embedded stores under one directory.
#include "backend/backend.h"

#include "backend/local/directory_lock.h"
#include "backend/local/file_object_store.h"
#include "backend/local/file_wal.h"
#include "backend/rocksdb/rocksdb_meta_store.h"
#include "backend/s3/open_s3.h"
#include "backend/s3/ownership.h"

namespace elanus::backend {
namespace {

Status OpenCatalogAndLog(const RocksDbMedium& medium, const std::string& directory,
                         const LocalOptions& options, Stores& stores) {
  TRY_ASSIGN(stores.meta, OpenRocksDbMetaStore(directory + "/meta", medium));
  TRY_ASSIGN(stores.wal,
             OpenFileWal(directory + "/wal",
                         {.file_bytes_max = options.log_file_bytes_max, .sync = options.log_sync},
                         medium.files));
  return {};
}

}  // namespace

Result<Stores> OpenOn(const RocksDbMedium& medium, const std::string& directory,
                      const LocalOptions& options) {
  Stores stores;
  TRY(MakeFolders(medium.files, directory));
  TRY_ASSIGN(stores.objects, OpenFileObjectStore(directory + "/objects", medium.files));
  TRY(OpenCatalogAndLog(medium, directory, options, stores));
  return stores;
}

Result<Stores> OpenLocal(const std::string& directory, const LocalOptions& options) {
  TRY_ASSIGN(auto lock, DirectoryLock::Take(directory));
  TRY_ASSIGN(Stores stores, OpenOn({}, directory, options));
  stores.lock = std::move(lock);
  return stores;
}

Result<Stores> OpenStores(const std::string& directory, const LocalOptions& options,
                          const ObjectStoreOptions& objects) {
  TRY_ASSIGN(auto lock, DirectoryLock::Take(directory));
  Stores stores;
  if (objects.is_remote()) {
    TRY_ASSIGN(stores.objects, OpenS3(directory, objects));
    TRY(OpenCatalogAndLog({}, directory, options, stores));
  } else {
    TRY(CheckObjectsAreLocal(directory));
    TRY_ASSIGN(stores, OpenOn({}, directory, options));
  }
  stores.lock = std::move(lock);
  return stores;
}

}  // namespace elanus::backend
