// File system calls.
#include "backend/local/file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace elanus::backend {

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Status IoError(std::string_view what, std::string_view path, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return Error(full ? ErrorCode::kDiskLimitExceeded : ErrorCode::kIoFailed, "{} {}: {}", what, path,
               std::strerror(error_number));
}

Result<File> OpenFile(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) return IoError("open", path, errno);
  return File(fd);
}

Result<uint64_t> SizeOf(const File& file, const std::string& path) {
  struct stat info;
  if (::fstat(file.fd(), &info) != 0) return IoError("stat", path, errno);
  return static_cast<uint64_t>(info.st_size);
}

Status WriteAt(const File& file, const std::string& path, uint64_t offset,
               std::span<const std::string_view> parts) {
  std::vector<iovec> vectors;
  vectors.reserve(parts.size());
  for (std::string_view part : parts) {
    if (!part.empty()) vectors.push_back({const_cast<char*>(part.data()), part.size()});
  }
  size_t at = 0;
  while (at < vectors.size()) {
    const int count = static_cast<int>(std::min<size_t>(vectors.size() - at, IOV_MAX));
    const ssize_t written =
        ::pwritev(file.fd(), vectors.data() + at, count, static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return IoError("write", path, errno);
    }
    offset += static_cast<uint64_t>(written);
    size_t left = static_cast<size_t>(written);
    while (left > 0 && left >= vectors[at].iov_len) left -= vectors[at++].iov_len;
    if (left > 0) {
      vectors[at].iov_base = static_cast<char*>(vectors[at].iov_base) + left;
      vectors[at].iov_len -= left;
    }
  }
  return {};
}

Result<std::string> ReadWhole(const std::string& path) {
  TRY_ASSIGN(const File file, OpenFile(path, O_RDONLY));
  TRY_ASSIGN(const uint64_t size, SizeOf(file, path));
  std::string bytes(size, '\0');
  size_t at = 0;
  while (at < size) {
    const ssize_t got = ::pread(file.fd(), bytes.data() + at, size - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IoError("read", path, errno);
    if (got == 0) break;
    at += static_cast<size_t>(got);
  }
  bytes.resize(at);
  return bytes;
}

Status SyncData(const File& file, const std::string& path) {
  if (::fdatasync(file.fd()) != 0) return IoError("sync", path, errno);
  return {};
}

Status SyncDirectory(const std::string& path) {
  TRY_ASSIGN(const File directory, OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(directory.fd()) != 0) return IoError("sync", path, errno);
  return {};
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return IoError("create directory", path, error.value());
  return {};
}

}  // namespace elanus::backend
