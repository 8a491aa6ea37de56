// The embedded log: files of records, one sync for a group, torn ends cut when it opens.
#pragma once

#include <memory>
#include <string>

#include "backend/local/file_system.h"
#include "store/wal.h"

namespace elanus::backend {

struct FileWalOptions {
  int64_t file_bytes_max = 256 << 20;  // A new file begins beyond this size.
  bool sync = true;                    // False: what is acknowledged may be lost with the power.
};

/// Opens (or makes) the log under `directory`; format in store/formats/README.md. Errors:
/// kIoFailed, kIntegrity for damage in the middle, with file, offset and the way out. `files`
/// outlives the log.
Result<std::unique_ptr<store::Wal>> OpenFileWal(const std::string& directory,
                                                const FileWalOptions& options,
                                                FileSystem& files = LocalFileSystem());

}  // namespace elanus::backend
