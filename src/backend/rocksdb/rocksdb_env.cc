// RocksDB's environment on a FileSystem.
#include "backend/rocksdb/rocksdb_env.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <cstring>

namespace elanus::backend {
namespace {

rocksdb::Status ToRocks(const Status& status) {
  if (status.ok()) return rocksdb::Status::OK();
  const std::string words(status.message());
  switch (status.code()) {
    case ErrorCode::kKeyNotFound:
      return rocksdb::Status::PathNotFound(words);
    case ErrorCode::kDiskLimitExceeded:
      return rocksdb::Status::NoSpace(words);
    default:
      return rocksdb::Status::IOError(words);
  }
}

// RocksDB writes folders with a '/' at their end now and then, and doubles one between parts.
std::string Plain(const std::string& path) {
  std::string plain;
  for (char c : path) {
    if (c != '/' || plain.empty() || plain.back() != '/') plain += c;
  }
  if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

class RocksSequentialFile final : public rocksdb::SequentialFile {
 public:
  explicit RocksSequentialFile(std::string bytes) : bytes_(std::move(bytes)) {}
  rocksdb::Status Read(size_t n, rocksdb::Slice* result, char* scratch) override {
    n = std::min(n, bytes_.size() - at_);
    std::memcpy(scratch, bytes_.data() + at_, n);
    at_ += n;
    *result = rocksdb::Slice(scratch, n);
    return rocksdb::Status::OK();
  }
  rocksdb::Status Skip(uint64_t n) override {
    at_ += std::min<size_t>(n, bytes_.size() - at_);
    return rocksdb::Status::OK();
  }

 private:
  const std::string bytes_;
  size_t at_ = 0;
};

class RocksRandomAccessFile final : public rocksdb::RandomAccessFile {
 public:
  explicit RocksRandomAccessFile(std::string bytes) : bytes_(std::move(bytes)) {}
  rocksdb::Status Read(uint64_t offset, size_t n, rocksdb::Slice* result,
                       char* scratch) const override {
    const size_t begin = std::min<size_t>(offset, bytes_.size());
    n = std::min(n, bytes_.size() - begin);
    std::memcpy(scratch, bytes_.data() + begin, n);
    *result = rocksdb::Slice(scratch, n);
    return rocksdb::Status::OK();
  }

 private:
  const std::string bytes_;
};

class RocksWritableFile final : public rocksdb::WritableFile {
 public:
  RocksWritableFile(std::unique_ptr<backend::WritableFile> file, uint64_t size)
      : file_(std::move(file)), size_(size) {}
  using rocksdb::WritableFile::Append;
  rocksdb::Status Append(const rocksdb::Slice& data) override {
    const std::string_view part(data.data(), data.size());
    Status written = file_->Write(size_, std::span(&part, 1));
    if (written.ok()) size_ += data.size();
    return ToRocks(written);
  }
  rocksdb::Status Truncate(uint64_t size) override {
    Status truncated = file_->Truncate(size);
    if (truncated.ok()) size_ = size;
    return ToRocks(truncated);
  }
  rocksdb::Status Close() override { return rocksdb::Status::OK(); }
  rocksdb::Status Flush() override { return rocksdb::Status::OK(); }
  rocksdb::Status Sync() override { return ToRocks(file_->Sync()); }
  uint64_t GetFileSize() override { return size_; }

 private:
  const std::unique_ptr<backend::WritableFile> file_;
  uint64_t size_;
};

class RocksDirectory final : public rocksdb::Directory {
 public:
  explicit RocksDirectory(std::unique_ptr<Folder> folder) : folder_(std::move(folder)) {}
  rocksdb::Status Fsync() override { return ToRocks(folder_->Sync()); }
  rocksdb::Status Close() override { return rocksdb::Status::OK(); }

 private:
  const std::unique_ptr<Folder> folder_;
};

class NoLock final : public rocksdb::FileLock {};

class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class RocksEnv final : public rocksdb::EnvWrapper {
 public:
  explicit RocksEnv(FileSystem& files) : EnvWrapper(rocksdb::Env::Default()), files_(files) {}
  const char* Name() const override { return "elanus"; }

  rocksdb::Status NewSequentialFile(const std::string& path,
                                    std::unique_ptr<rocksdb::SequentialFile>* result,
                                    const rocksdb::EnvOptions&) override {
    auto bytes = files_.Read(Plain(path));
    if (!bytes.ok()) return ToRocks(bytes.status());
    *result = std::make_unique<RocksSequentialFile>(std::move(bytes).value());
    return rocksdb::Status::OK();
  }
  rocksdb::Status NewRandomAccessFile(const std::string& path,
                                      std::unique_ptr<rocksdb::RandomAccessFile>* result,
                                      const rocksdb::EnvOptions&) override {
    auto bytes = files_.Read(Plain(path));
    if (!bytes.ok()) return ToRocks(bytes.status());
    *result = std::make_unique<RocksRandomAccessFile>(std::move(bytes).value());
    return rocksdb::Status::OK();
  }
  rocksdb::Status NewWritableFile(const std::string& path,
                                  std::unique_ptr<rocksdb::WritableFile>* result,
                                  const rocksdb::EnvOptions&) override {
    auto file = files_.OpenToWrite(Plain(path), FileSystem::Creation::kEmpty);
    if (!file.ok()) return ToRocks(file.status());
    *result = std::make_unique<RocksWritableFile>(std::move(file).value(), 0);
    return rocksdb::Status::OK();
  }
  rocksdb::Status ReopenWritableFile(const std::string& path,
                                     std::unique_ptr<rocksdb::WritableFile>* result,
                                     const rocksdb::EnvOptions&) override {
    uint64_t size = 0;
    if (rocksdb::Status sized = GetFileSize(path, &size); !sized.ok()) return sized;
    auto file = files_.OpenToWrite(Plain(path), FileSystem::Creation::kMustExist);
    if (!file.ok()) return ToRocks(file.status());
    *result = std::make_unique<RocksWritableFile>(std::move(file).value(), size);
    return rocksdb::Status::OK();
  }
  rocksdb::Status ReuseWritableFile(const std::string& path, const std::string& old,
                                    std::unique_ptr<rocksdb::WritableFile>* result,
                                    const rocksdb::EnvOptions& options) override {
    if (rocksdb::Status renamed = RenameFile(old, path); !renamed.ok()) return renamed;
    return NewWritableFile(path, result, options);
  }
  rocksdb::Status NewRandomRWFile(const std::string&, std::unique_ptr<rocksdb::RandomRWFile>*,
                                  const rocksdb::EnvOptions&) override {
    return rocksdb::Status::NotSupported("a file to read and write");
  }
  rocksdb::Status NewMemoryMappedFileBuffer(
      const std::string&, std::unique_ptr<rocksdb::MemoryMappedFileBuffer>*) override {
    return rocksdb::Status::NotSupported("a mapped file");
  }
  rocksdb::Status NewDirectory(const std::string& path,
                               std::unique_ptr<rocksdb::Directory>* result) override {
    auto folder = files_.OpenFolder(Plain(path));
    if (!folder.ok()) return ToRocks(folder.status());
    *result = std::make_unique<RocksDirectory>(std::move(folder).value());
    return rocksdb::Status::OK();
  }
  rocksdb::Status FileExists(const std::string& path) override {
    if (files_.OpenFolder(Plain(path)).ok()) return rocksdb::Status::OK();
    const Status read = files_.Read(Plain(path)).status();
    return read.code() == ErrorCode::kKeyNotFound ? rocksdb::Status::NotFound() : ToRocks(read);
  }
  rocksdb::Status GetChildren(const std::string& path, std::vector<std::string>* result) override {
    auto entries = files_.List(Plain(path));
    if (!entries.ok()) {
      return entries.status().code() == ErrorCode::kKeyNotFound ? rocksdb::Status::NotFound()
                                                                : ToRocks(entries.status());
    }
    result->clear();
    for (const FileSystem::Entry& entry : *entries) result->push_back(entry.name);
    return rocksdb::Status::OK();
  }
  rocksdb::Status GetChildrenFileAttributes(const std::string& path,
                                            std::vector<FileAttributes>* result) override {
    return Env::GetChildrenFileAttributes(path, result);
  }
  rocksdb::Status DeleteFile(const std::string& path) override {
    auto removed = files_.Remove(Plain(path));
    if (!removed.ok()) return ToRocks(removed.status());
    return *removed ? rocksdb::Status::OK() : rocksdb::Status::PathNotFound(path);
  }
  rocksdb::Status Truncate(const std::string& path, size_t size) override {
    auto file = files_.OpenToWrite(Plain(path), FileSystem::Creation::kMustExist);
    return ToRocks(file.ok() ? (*file)->Truncate(size) : file.status());
  }
  rocksdb::Status CreateDir(const std::string& path) override {
    auto made = files_.MakeFolder(Plain(path));
    if (!made.ok()) return ToRocks(made.status());
    return *made ? rocksdb::Status::OK() : rocksdb::Status::IOError(path, "is there already");
  }
  rocksdb::Status CreateDirIfMissing(const std::string& path) override {
    return ToRocks(files_.MakeFolder(Plain(path)).status());
  }
  rocksdb::Status DeleteDir(const std::string& path) override {
    auto removed = files_.RemoveFolder(Plain(path));
    if (!removed.ok()) return ToRocks(removed.status());
    return *removed ? rocksdb::Status::OK() : rocksdb::Status::IOError(path, "is not empty");
  }
  rocksdb::Status GetFileSize(const std::string& path, uint64_t* size) override {
    auto bytes = files_.Read(Plain(path));
    if (!bytes.ok()) return ToRocks(bytes.status());
    *size = bytes->size();
    return rocksdb::Status::OK();
  }
  rocksdb::Status GetFileModificationTime(const std::string&, uint64_t* time) override {
    *time = 0;
    return rocksdb::Status::OK();
  }
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override {
    return ToRocks(files_.Rename(Plain(from), Plain(to)));
  }
  rocksdb::Status LinkFile(const std::string&, const std::string&) override {
    return rocksdb::Status::NotSupported("a link");
  }
  rocksdb::Status NumFileLinks(const std::string&, uint64_t*) override {
    return rocksdb::Status::NotSupported("links");
  }
  rocksdb::Status AreFilesSame(const std::string& a, const std::string& b, bool* same) override {
    *same = a == b;
    return rocksdb::Status::OK();
  }
  rocksdb::Status LockFile(const std::string&, rocksdb::FileLock** lock) override {
    *lock = new NoLock();
    return rocksdb::Status::OK();
  }
  rocksdb::Status UnlockFile(rocksdb::FileLock* lock) override {
    delete lock;
    return rocksdb::Status::OK();
  }
  rocksdb::Status NewLogger(const std::string&, std::shared_ptr<rocksdb::Logger>* log) override {
    *log = std::make_shared<NoLog>();
    return rocksdb::Status::OK();
  }
  rocksdb::Status IsDirectory(const std::string& path, bool* is_directory) override {
    *is_directory = files_.OpenFolder(Plain(path)).ok();
    return rocksdb::Status::OK();
  }
  rocksdb::Status GetFreeSpace(const std::string&, uint64_t*) override {
    return rocksdb::Status::NotSupported("free space");
  }
  rocksdb::Status GetAbsolutePath(const std::string& path, std::string* result) override {
    *result = path;
    return rocksdb::Status::OK();
  }

 private:
  FileSystem& files_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> MakeRocksDbEnv(FileSystem& files) {
  return std::make_unique<RocksEnv>(files);
}

}  // namespace elanus::backend
