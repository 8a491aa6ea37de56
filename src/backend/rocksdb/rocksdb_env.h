// RocksDB on our own file system interface, so that faults reach the catalog's files too.
#pragma once

#include <memory>

#include "backend/local/file_system.h"

namespace rocksdb {
class Env;
}

namespace elanus::backend {

/// An environment for RocksDB whose files are those of `files`, which outlives it; threads and time
/// are the machine's. It holds no locks and writes no information log. For tests: a file is read
/// whole when it is opened.
std::unique_ptr<rocksdb::Env> MakeRocksDbEnv(FileSystem& files);

}  // namespace elanus::backend
