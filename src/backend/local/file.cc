// The machine's file system.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "backend/local/file.h"
#include "backend/local/file_system.h"
#include "base/mapped_faults.h"

namespace elanus::backend {
namespace {

Result<uint64_t> SizeOf(const File& file, const std::string& path) {
  struct stat info;
  if (::fstat(file.fd(), &info) != 0) return IoError("stat", path, errno);
  return static_cast<uint64_t>(info.st_size);
}

// Reads until `bytes` are there or the file gives no more.
Status ReadInto(const File& file, const std::string& path, uint64_t offset, std::string& bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got =
        ::pread(file.fd(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IoError("read", path, errno);
    if (got == 0) break;
    at += static_cast<size_t>(got);
  }
  bytes.resize(at);
  return {};
}

class LocalWritableFile final : public WritableFile {
 public:
  LocalWritableFile(File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Status Write(uint64_t offset, std::span<const std::string_view> parts) override {
    return WriteAt(file_, path_, offset, parts);
  }
  Status Truncate(uint64_t size) override {
    if (::ftruncate(file_.fd(), static_cast<off_t>(size)) != 0) {
      return IoError("truncate", path_, errno);
    }
    return {};
  }
  Status Sync() override {
    if (::fdatasync(file_.fd()) != 0) return IoError("sync", path_, errno);
    return {};
  }

 private:
  const File file_;
  const std::string path_;
};

class LocalFolder final : public Folder {
 public:
  LocalFolder(File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Status Sync() override {
    if (::fsync(file_.fd()) != 0) return IoError("sync", path_, errno);
    return {};
  }

 private:
  const File file_;
  const std::string path_;
};

// Owns a mapping, and watches it for pages that the disk does not give.
class MappedFile {
 public:
  MappedFile(std::string_view bytes, std::string path)
      : pages_{bytes}, watch_(bytes, std::move(path)) {}

 private:
  struct Pages {
    ~Pages() { ::munmap(const_cast<char*>(bytes.data()), bytes.size()); }
    const std::string_view bytes;
  };

  const Pages pages_;  // Go after the watch.
  const MappingWatch watch_;
};

class LocalFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> OpenToWrite(const std::string& path,
                                                    Creation creation) override {
    const int more = creation == Creation::kEmpty ? O_CREAT | O_TRUNC : 0;
    TRY_ASSIGN(File file, OpenFile(path, O_RDWR | more));
    return std::unique_ptr<WritableFile>(
        std::make_unique<LocalWritableFile>(std::move(file), path));
  }

  Result<std::string> Read(const std::string& path) override { return ReadWhole(path); }

  Result<std::string> ReadRange(const std::string& path, uint64_t offset,
                                size_t bytes_max) override {
    return ReadAt(path, offset, bytes_max);
  }

  Result<uint64_t> Size(const std::string& path) override {
    TRY_ASSIGN(const File file, OpenFile(path, O_RDONLY));
    return SizeOf(file, path);
  }

  Result<Blob> Map(const std::string& path) override {
    TRY_ASSIGN(const File file, OpenFile(path, O_RDONLY));
    struct stat info;
    if (::fstat(file.fd(), &info) != 0) return IoError("stat", path, errno);
    if (S_ISDIR(info.st_mode)) return Error(ErrorCode::kKeyNotFound, "{} is a folder", path);
    const auto size = static_cast<size_t>(info.st_size);
    if (size == 0) return Blob();
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd(), 0);
    if (mapped == MAP_FAILED) return IoError("map", path, errno);
    const std::string_view bytes(static_cast<const char*>(mapped), size);
    return Blob(std::make_shared<const MappedFile>(bytes, path), bytes, /*heap_bytes=*/0);
  }

  Result<std::vector<Entry>> List(const std::string& folder) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
    if (open == nullptr && errno == ENOENT) {
      return Error(ErrorCode::kKeyNotFound, "{} is not there", folder);
    }
    if (open == nullptr) return IoError("list", folder, errno);
    std::vector<Entry> entries;
    while (true) {
      errno = 0;
      const dirent* entry = ::readdir(open.get());
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat info;
      // What has gone since is not listed.
      if (::fstatat(::dirfd(open.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      entries.push_back({.name = name, .is_folder = S_ISDIR(info.st_mode)});
    }
    if (errno != 0) return IoError("list", folder, errno);
    return entries;
  }

  Result<std::unique_ptr<Folder>> OpenFolder(const std::string& path) override {
    TRY_ASSIGN(File file, OpenFile(path, O_RDONLY | O_DIRECTORY));
    return std::unique_ptr<Folder>(std::make_unique<LocalFolder>(std::move(file), path));
  }

  Result<bool> MakeFolder(const std::string& path) override {
    if (::mkdir(path.c_str(), 0755) == 0) return true;
    const int error = errno;
    struct stat info;
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return false;
    return IoError("create directory", path, error);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return IoError("rename to", to, errno);
    return {};
  }

  Result<bool> Remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return true;
    // No such file: nothing there, a file on the way, or a folder.
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return false;
    return IoError("remove", path, errno);
  }

  Result<bool> RemoveFolder(const std::string& path) override {
    if (::rmdir(path.c_str()) == 0) return true;
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT) return false;
    return IoError("remove", path, errno);
  }
};

}  // namespace

FileSystem& LocalFileSystem() {
  static LocalFiles files;
  return files;
}

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

Result<File> OpenFile(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd >= 0) return File(fd);
  // ENOTDIR: a part of the path on the way is a file.
  if (errno == ENOENT || errno == ENOTDIR) {
    return Error(ErrorCode::kKeyNotFound, "{} is not there", path);
  }
  return IoError("open", path, errno);
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
  TRY(ReadInto(file, path, 0, bytes));
  if (bytes.size() == size) return bytes;
  // Taken for the end of a log this would be cut off.
  return Error(ErrorCode::kIoFailed, "read {}: {} of {} bytes", path, bytes.size(), size);
}

Result<std::string> ReadAt(const std::string& path, uint64_t offset, size_t bytes_max) {
  TRY_ASSIGN(const File file, OpenFile(path, O_RDONLY));
  TRY_ASSIGN(const uint64_t size, SizeOf(file, path));
  const size_t wanted = offset >= size ? 0 : std::min<uint64_t>(bytes_max, size - offset);
  std::string bytes(wanted, '\0');
  TRY(ReadInto(file, path, offset, bytes));
  if (bytes.size() == wanted) return bytes;
  return Error(ErrorCode::kIoFailed, "read {}: offset {}: {} of {} bytes", path, offset,
               bytes.size(), wanted);
}

}  // namespace elanus::backend
