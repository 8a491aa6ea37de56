// Copies of objects on the local disk.
#include "backend/s3/local_copies.h"

#include "backend/local/file_object_store.h"
#include "backend/s3/metrics.h"
#include "base/log.h"

namespace elanus::backend {

Result<std::unique_ptr<LocalCopies>> LocalCopies::Open(const std::string& folder, int64_t bytes_max,
                                                       FileSystem& files) {
  TRY_ASSIGN(auto objects, OpenFileObjectStore(folder, files));
  SystemClock clock;
  Context ctx(clock);
  TRY_ASSIGN(const std::vector<std::string> keys, objects->List(ctx, ""));
  std::unique_ptr<LocalCopies> copies(new LocalCopies(std::move(objects), bytes_max));
  for (const std::string& key : keys) {
    TRY_ASSIGN(const uint64_t bytes, files.Size(folder + "/" + key));
    for (const std::string& gone : copies->Note(key, static_cast<int64_t>(bytes))) {
      TRY(copies->files_->Delete(ctx, gone));
    }
  }
  return copies;
}

Result<Blob> LocalCopies::Find(Context& ctx, const std::string& key) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = copies_.find(key);
    if (found == copies_.end()) return Status(ErrorCode::kKeyNotFound, key);
    used_.splice(used_.begin(), used_, found->second.place);
  }
  auto blob = files_->Open(ctx, key);
  if (blob.status().code() == ErrorCode::kKeyNotFound) Forget(key);
  return blob;
}

Result<std::unique_ptr<store::ObjectWriter>> LocalCopies::Write(Context& ctx,
                                                                const std::string& key) {
  return files_->Create(ctx, key);
}

Result<Blob> LocalCopies::Keep(Context& ctx, const std::string& key, store::ObjectWriter& writer) {
  TRY(writer.Finish());
  TRY_ASSIGN(Blob blob, files_->Open(ctx, key));
  for (const std::string& gone : Note(key, static_cast<int64_t>(blob.bytes().size()))) {
    const Status removed = files_->Delete(ctx, gone);
    if (!removed.ok()) LogWarn("a copy of an object stays error=\"{}\"", removed.ToString());
  }
  return blob;
}

bool LocalCopies::Remove(Context& ctx, const std::string& key) {
  const bool was_there = Forget(key);
  const Status removed = files_->Delete(ctx, key);
  if (!removed.ok()) LogWarn("a copy of an object stays error=\"{}\"", removed.ToString());
  return was_there && removed.ok();
}

std::vector<std::string> LocalCopies::Note(const std::string& key, int64_t bytes) {
  std::vector<std::string> gone;
  int64_t changed = bytes;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto old = copies_.find(key); old != copies_.end()) {
    changed -= old->second.bytes;
    used_.erase(old->second.place);
    copies_.erase(old);
  }
  used_.push_front(key);
  copies_[key] = {.bytes = bytes, .place = used_.begin()};
  bytes_ += changed;
  while (bytes_ > bytes_max_ && !used_.empty()) {
    const auto oldest = copies_.find(used_.back());
    bytes_ -= oldest->second.bytes;
    changed -= oldest->second.bytes;
    gone.push_back(std::move(used_.back()));
    used_.pop_back();
    copies_.erase(oldest);
  }
  CountCopyBytes(changed);
  return gone;
}

bool LocalCopies::Forget(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = copies_.find(key);
  if (found == copies_.end()) return false;
  bytes_ -= found->second.bytes;
  CountCopyBytes(-found->second.bytes);
  used_.erase(found->second.place);
  copies_.erase(found);
  return true;
}

}  // namespace elanus::backend
