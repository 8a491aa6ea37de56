// What all file systems share.
#include "backend/local/file_system.h"

#include <cerrno>
#include <cstring>

namespace elanus::backend {

Status IoError(std::string_view what, std::string_view path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return Error(full ? ErrorCode::kDiskLimitExceeded : ErrorCode::kIoFailed, "{} {}: {}", what, path,
               std::strerror(error_number));
}

Status MakeFolders(FileSystem& files, const std::string& path) {
  // The parents first; each new name is made to last before anything is put behind it.
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const bool is_last = end == std::string::npos;
    const std::string folder = path.substr(0, end);
    Result<bool> made = files.MakeFolder(folder);
    // A parent that exists need not be ours to make anything in.
    if (!made.ok() && is_last) return made.status();
    // The last one also when it is there: who made it may have died before its name was safe.
    if (made.ok() && (*made || is_last)) {
      const size_t slash = folder.rfind('/');
      const std::string parent = slash == std::string::npos ? "."
                                 : slash == 0               ? "/"
                                                            : folder.substr(0, slash);
      Status synced = SyncFolder(files, parent);
      if (*made && !synced.ok()) return synced;
    }
    if (is_last) return {};
  }
}

Status SyncFolder(FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const auto folder, files.OpenFolder(path));
  return folder->Sync();
}

}  // namespace elanus::backend
