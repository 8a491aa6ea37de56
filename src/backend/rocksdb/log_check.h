// Tells damage that RocksDB does not: in the middle of its log, which it takes for a torn end, and
// the loss of the file that names its newest state, after which it begins anew.
#pragma once

#include <string>

#include "backend/local/file_system.h"

namespace elanus::backend {

/// Looks at the logs in the folder of a database that is not open, in which every write was synced
/// before the next began. A record that does not match its checksum is the torn end of a write if
/// nothing was written behind it; else it was durable, and RocksDB would drop it silently with all
/// that follows. kIntegrity then, with file, offset and what to do.
Status CheckRocksDbLogs(FileSystem& files, const std::string& directory);

/// A database that has logs or tables, or is known to have commits, has a file CURRENT, which was
/// durable before the first of them. kIntegrity, with what to do.
Status CheckRocksDbIsNamed(FileSystem& files, const std::string& directory, bool has_commits);

}  // namespace elanus::backend
