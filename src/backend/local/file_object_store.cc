// Objects as files.
#include "backend/local/file_object_store.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "store/object_key.h"

namespace elanus::backend {
namespace {

constexpr std::string_view kTemporary = ".writing-";

class FileObjectStore final : public store::ObjectStore {
 public:
  FileObjectStore(std::string directory, FileSystem& files)
      : directory_(std::move(directory)), files_(files) {}

  Status Put(Context& ctx, std::string_view key, std::string_view bytes) override {
    TRY_ASSIGN(const auto writer, Create(ctx, key));
    TRY(writer->Append(bytes));
    return writer->Finish();
  }

  Result<std::unique_ptr<store::ObjectWriter>> Create(Context&, std::string_view key) override {
    TRY(store::CheckObjectKey(key));
    std::string temporary =
        fmt::format("{}/{}{}", directory_, kTemporary, next_temporary_.fetch_add(1));
    auto file = files_.OpenToWrite(temporary, FileSystem::Creation::kEmpty);
    if (!file.ok()) {
      // What cannot be removed now goes when the store is opened again.
      (void)files_.Remove(temporary);
      return file.status();
    }
    return std::unique_ptr<store::ObjectWriter>(
        std::make_unique<Writer>(*this, std::move(*file), std::move(temporary), PathOf(key)));
  }

  Result<Blob> Open(Context&, std::string_view key) override {
    TRY(store::CheckObjectKey(key));
    Result<Blob> blob = files_.Map(PathOf(key));
    if (blob.status().code() != ErrorCode::kKeyNotFound) return blob;
    return Error(ErrorCode::kKeyNotFound, "{}[key={}]", InfoOf(ErrorCode::kKeyNotFound).name, key);
  }

  Result<std::vector<std::string>> List(Context&, std::string_view prefix) override {
    std::lock_guard<std::mutex> lock(folders_mutex_);
    std::vector<std::string> keys;
    TRY(ListFolder("", prefix, keys));
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  Status Delete(Context&, std::string_view key) override {
    TRY(store::CheckObjectKey(key));
    std::string path = PathOf(key);
    std::lock_guard<std::mutex> lock(folders_mutex_);
    TRY_ASSIGN(const bool was_there, files_.Remove(path));
    if (!was_there) return {};
    // Empty folders go as well; the first that is not empty ends it.
    for (path = ParentOf(path); path.size() > directory_.size(); path = ParentOf(path)) {
      const Result<bool> removed = files_.RemoveFolder(path);
      if (!removed.ok() || !*removed) break;
    }
    return {};
  }

 private:
  std::string PathOf(std::string_view key) const { return fmt::format("{}/{}", directory_, key); }
  static std::string ParentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

  // Writes beside; the name comes last.
  class Writer final : public store::ObjectWriter {
   public:
    Writer(FileObjectStore& store, std::unique_ptr<WritableFile> file, std::string temporary,
           std::string path)
        : store_(store),
          file_(std::move(file)),
          temporary_(std::move(temporary)),
          path_(std::move(path)) {}
    ~Writer() override {
      if (!is_named_) (void)store_.files_.Remove(temporary_);
    }

    Status Append(std::string_view bytes) override {
      TRY(file_->Write(end_, std::span(&bytes, 1)));
      end_ += bytes.size();
      return {};
    }

    Status Finish() override {
      TRY(file_->Sync());
      std::vector<std::unique_ptr<Folder>> folders;
      Status moved = store_.MoveTo(temporary_, path_, folders);
      is_named_ = moved.ok();
      TRY(std::move(moved));
      // The new folders on the way need their names to last, too.
      for (const auto& folder : folders) TRY(folder->Sync());
      return {};
    }

   private:
    FileObjectStore& store_;
    const std::unique_ptr<WritableFile> file_;
    const std::string temporary_;
    const std::string path_;
    uint64_t end_ = 0;
    bool is_named_ = false;
  };

  // Gives the written file its name, making the folders on the way, and opens these to be synced.
  Status MoveTo(const std::string& temporary, const std::string& path,
                std::vector<std::unique_ptr<Folder>>& folders) {
    const std::string parent = ParentOf(path);
    std::lock_guard<std::mutex> lock(folders_mutex_);
    for (size_t end = path.find('/', directory_.size() + 1); end != std::string::npos;
         end = path.find('/', end + 1)) {
      TRY(files_.MakeFolder(path.substr(0, end)).status());
    }
    TRY(files_.Rename(temporary, path));
    for (std::string at = parent; at.size() >= directory_.size(); at = ParentOf(at)) {
      TRY_ASSIGN(auto folder, files_.OpenFolder(at));
      folders.push_back(std::move(folder));
    }
    return {};
  }

  // Adds the keys below `folder` (empty, or with a '/' at its end) that start with `prefix`.
  Status ListFolder(const std::string& folder, std::string_view prefix,
                    std::vector<std::string>& keys) {
    std::string path = PathOf(folder);
    path.pop_back();  // The slash that ends it.
    TRY_ASSIGN(const auto entries, files_.List(path));
    for (const FileSystem::Entry& entry : entries) {
      std::string key = folder + entry.name;
      if (entry.is_folder) {
        key += '/';
        // Into folders only that can hold such keys.
        const size_t common = std::min(key.size(), prefix.size());
        if (std::string_view(key).substr(0, common) == prefix.substr(0, common)) {
          TRY(ListFolder(key, prefix, keys));
        }
      } else if (key.starts_with(prefix) && !key.starts_with(kTemporary)) {
        keys.push_back(std::move(key));
      }
    }
    return {};
  }

  const std::string directory_;
  FileSystem& files_;
  // Held while folders come, go or are listed: a delete that empties a folder removes it, which
  // must not fall between making the folder and moving an object into it.
  std::mutex folders_mutex_;
  std::atomic<uint64_t> next_temporary_{0};
};

}  // namespace

Result<std::unique_ptr<store::ObjectStore>> OpenFileObjectStore(const std::string& directory,
                                                                FileSystem& files) {
  TRY(MakeFolders(files, directory));
  TRY_ASSIGN(const auto entries, files.List(directory));
  for (const FileSystem::Entry& entry : entries) {
    if (!entry.name.starts_with(kTemporary)) continue;
    TRY(files.Remove(directory + "/" + entry.name).status());
  }
  return std::unique_ptr<store::ObjectStore>(std::make_unique<FileObjectStore>(directory, files));
}

}  // namespace elanus::backend
