// Thin, checked layer over the file system calls that the local backend needs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::backend {

/// An owned file descriptor.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept;
  ~File();
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// kIoFailed, or kDiskLimitExceeded for ENOSPC and EDQUOT, with what was tried and the system's
/// words.
Status IoError(std::string_view what, std::string_view path, int error_number);

Result<File> OpenFile(const std::string& path, int flags);
Result<uint64_t> SizeOf(const File& file, const std::string& path);
/// Writes all parts one after another at `offset`.
Status WriteAt(const File& file, const std::string& path, uint64_t offset,
               std::span<const std::string_view> parts);
Result<std::string> ReadWhole(const std::string& path);
Status SyncData(const File& file, const std::string& path);
Status SyncDirectory(const std::string& path);
/// Creates the directory and its parents.
Status MakeDirectories(const std::string& path);

}  // namespace elanus::backend
