// Objects as files: written beside, synced, renamed into place; read by mapping.
#pragma once

#include <memory>
#include <string>

#include "backend/local/file_system.h"
#include "store/object_store.h"

namespace elanus::backend {

/// Keeps objects under `directory`; left-over temporary files of a crash are removed. `files`
/// outlives the store.
Result<std::unique_ptr<store::ObjectStore>> OpenFileObjectStore(
    const std::string& directory, FileSystem& files = LocalFileSystem());

}  // namespace elanus::backend
