// One process a data directory.
#include "backend/local/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "backend/local/file_system.h"

namespace elanus::backend {

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(const std::string& directory) {
  TRY(MakeFolders(LocalFileSystem(), directory));
  const std::string path = directory + "/LOCK";
  TRY_ASSIGN(File file, OpenFile(path, O_RDWR | O_CREAT));
  if (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
    const Result<std::string> holder = ReadWhole(path);
    return Error(ErrorCode::kOldSession, "the data directory {} is in use by another elanus{}",
                 directory,
                 holder.ok() && !holder->empty() ? fmt::format(" (process {})", *holder) : "");
  }
  const std::string pid = std::to_string(::getpid());
  const std::string_view part = pid;
  if (::ftruncate(file.fd(), 0) != 0) return IoError("truncate", path, errno);
  TRY(WriteAt(file, path, 0, std::span(&part, 1)));
  return std::unique_ptr<DirectoryLock>(new DirectoryLock(std::move(file)));
}

}  // namespace elanus::backend
