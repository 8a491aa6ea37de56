// Checked file system calls on descriptors: what the machine's file system and the lock are made
// of.
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

 private:
  int fd_ = -1;
};

/// Errors: as FileSystem's.
Result<File> OpenFile(const std::string& path, int flags);
/// Writes all parts one after another at `offset`.
Status WriteAt(const File& file, const std::string& path, uint64_t offset,
               std::span<const std::string_view> parts);
Result<std::string> ReadWhole(const std::string& path);
/// As FileSystem::ReadRange.
Result<std::string> ReadAt(const std::string& path, uint64_t offset, size_t bytes_max);

}  // namespace elanus::backend
