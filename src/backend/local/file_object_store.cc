// Objects as files.
#include "backend/local/file_object_store.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <vector>

#include "backend/local/file.h"
#include "store/object_key.h"

namespace elanus::backend {
namespace {

constexpr std::string_view kTemporary = ".writing-";

class FileObjectStore final : public store::ObjectStore {
 public:
  explicit FileObjectStore(std::string directory) : directory_(std::move(directory)) {}

  Status Put(Context&, std::string_view key, std::string_view bytes) override {
    TRY(store::CheckObjectKey(key));
    const std::string temporary =
        fmt::format("{}/{}{}", directory_, kTemporary, next_temporary_.fetch_add(1));
    std::vector<File> folders;
    Status put = WriteNew(temporary, bytes);
    if (put.ok()) put = MoveTo(temporary, directory_ + "/" + std::string(key), folders);
    if (!put.ok()) {
      ::unlink(temporary.c_str());
      return put;
    }
    // The new folders on the way need their names to last, too.
    for (const File& folder : folders) {
      if (::fsync(folder.fd()) != 0) return IoError("sync the folders of", key, errno);
    }
    return {};
  }

  Result<Blob> Open(Context&, std::string_view key) override {
    TRY(store::CheckObjectKey(key));
    const std::string path = directory_ + "/" + std::string(key);
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    // ENOTDIR: a part of the key on the way is an object.
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return NotFound(key);
    if (fd < 0) return IoError("open", path, errno);
    const File file(fd);
    struct stat info;
    if (::fstat(file.fd(), &info) != 0) return IoError("stat", path, errno);
    if (S_ISDIR(info.st_mode)) return NotFound(key);
    const auto size = static_cast<size_t>(info.st_size);
    if (size == 0) return Blob();
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd(), 0);
    if (mapped == MAP_FAILED) return IoError("map", path, errno);
    std::shared_ptr<const void> owner(mapped, [size](void* address) { ::munmap(address, size); });
    return Blob(std::move(owner), {static_cast<const char*>(mapped), size}, /*heap_bytes=*/0);
  }

  Result<std::vector<std::string>> List(Context&, std::string_view prefix) override {
    std::lock_guard<std::mutex> lock(folders_mutex_);
    std::vector<std::string> keys;
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(directory_, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
      if (!at->is_regular_file()) continue;
      std::string key = at->path().string().substr(directory_.size() + 1);
      if (key.starts_with(prefix) && !key.starts_with(kTemporary)) keys.push_back(std::move(key));
    }
    if (error) return IoError("list", directory_, error.value());
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  Status Delete(Context&, std::string_view key) override {
    TRY(store::CheckObjectKey(key));
    std::filesystem::path path = directory_ + "/" + std::string(key);
    std::lock_guard<std::mutex> lock(folders_mutex_);
    if (::unlink(path.c_str()) != 0) {
      // No such object: nothing there, an object on the way, or a folder.
      if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return {};
      return IoError("remove", path.string(), errno);
    }
    // Empty folders go as well; the first that is not empty ends it.
    for (path = path.parent_path(); path.string().size() > directory_.size();
         path = path.parent_path()) {
      if (::rmdir(path.c_str()) != 0) break;
    }
    return {};
  }

 private:
  static Status WriteNew(const std::string& path, std::string_view bytes) {
    TRY_ASSIGN(const File file, OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC));
    TRY(WriteAt(file, path, 0, std::span(&bytes, 1)));
    return SyncData(file, path);
  }

  static Status NotFound(std::string_view key) {
    return Error(ErrorCode::kKeyNotFound, "{}[key={}]", InfoOf(ErrorCode::kKeyNotFound).name, key);
  }

  // Gives the written file its name, making the folders on the way, and opens these to be synced.
  Status MoveTo(const std::string& temporary, const std::filesystem::path& path,
                std::vector<File>& folders) {
    const std::filesystem::path parent = path.parent_path();
    std::lock_guard<std::mutex> lock(folders_mutex_);
    TRY(MakeDirectories(parent.string()));
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      return IoError("rename to", path.string(), errno);
    }
    for (std::filesystem::path at = parent; at.string().size() >= directory_.size();
         at = at.parent_path()) {
      TRY_ASSIGN(File folder, OpenFile(at.string(), O_RDONLY | O_DIRECTORY));
      folders.push_back(std::move(folder));
    }
    return {};
  }

  const std::string directory_;
  // Held while folders come, go or are listed: a delete that empties a folder removes it, which
  // must not fall between making the folder and moving an object into it.
  std::mutex folders_mutex_;
  std::atomic<uint64_t> next_temporary_{0};
};

}  // namespace

Result<std::unique_ptr<store::ObjectStore>> OpenFileObjectStore(const std::string& directory) {
  TRY(MakeDirectories(directory));
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error) return IoError("list", directory, error.value());
  for (const auto& entry : entries) {
    if (entry.path().filename().string().starts_with(kTemporary)) ::unlink(entry.path().c_str());
  }
  return std::unique_ptr<store::ObjectStore>(std::make_unique<FileObjectStore>(directory));
}

}  // namespace elanus::backend
