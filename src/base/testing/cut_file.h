// A mapped file that a test cuts off under those who read it: the system tells that as it tells a
// disk that fails.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/mapped_faults.h"

namespace elanus {

/// A file of some bytes in the folder of the tests, mapped and watched. One at a time.
class CutFile {
 public:
  explicit CutFile(std::string_view bytes)
      : path_(testing::TempDir() + "cut_file_" + std::to_string(::getpid())) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    EXPECT_EQ(::pwrite(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    void* mapped = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, fd_, 0);
    EXPECT_NE(mapped, MAP_FAILED);
    bytes_ = {static_cast<const char*>(mapped), bytes.size()};
    watch_.emplace(bytes_, path_);
  }
  ~CutFile() {
    watch_.reset();
    ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  CutFile(const CutFile&) = delete;
  CutFile& operator=(const CutFile&) = delete;

  std::string_view bytes() const { return bytes_; }
  static size_t PageBytes() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }
  size_t pages() const { return (bytes_.size() + PageBytes() - 1) / PageBytes(); }
  /// Only its first pages are left.
  void CutBehind(size_t left) {
    ASSERT_EQ(::ftruncate(fd_, static_cast<off_t>(left * PageBytes())), 0);
  }
  /// Only this share of it is left, in whole pages.
  void CutOff(double share) {
    CutBehind(static_cast<size_t>(share * static_cast<double>(bytes_.size())) / PageBytes());
  }

 private:
  const std::string path_;
  int fd_ = -1;
  std::string_view bytes_;
  std::optional<MappingWatch> watch_;
};

}  // namespace elanus
