// Files of loaded segments.
#include "segment/segment_file.h"

#include <utility>

#include "base/aligned_copy.h"
#include "base/machine.h"
#include "base/mapped_faults.h"

namespace elanus::segment {
namespace {

bool HasPages(const Blob& blob) { return blob.heap_bytes() == 0 && !blob.bytes().empty(); }

}  // namespace

void KeysInUse::Add(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  keys_.insert(key);
}

void KeysInUse::Remove(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  keys_.erase(keys_.find(key));
}

std::set<std::string> KeysInUse::List() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {keys_.begin(), keys_.end()};
}

SegmentFile::SegmentFile(store::ObjectStore& objects, std::string key, bool is_mapped,
                         std::shared_ptr<KeysInUse> keys)
    : objects_(objects),
      key_(std::move(key)),
      is_mapped_(is_mapped),
      is_remote_(objects.IsRemote()),
      keys_(std::move(keys)) {
  if (is_remote_) keys_->Add(key_);
}

SegmentFile::~SegmentFile() {
  if (is_remote_) keys_->Remove(key_);
}

Result<std::shared_ptr<SegmentFile>> SegmentFile::Open(Context& ctx, store::ObjectStore& objects,
                                                       const std::string& key, bool is_mapped,
                                                       std::shared_ptr<KeysInUse> keys) {
  std::shared_ptr<SegmentFile> file(new SegmentFile(objects, key, is_mapped, std::move(keys)));
  if (!file->is_remote_) {
    TRY_ASSIGN(file->blob_, objects.Open(ctx, key));
  }
  return file;
}

Result<std::shared_ptr<SegmentFile::Reading>> SegmentFile::Read(
    Context& ctx, const std::shared_ptr<SegmentFile>& file) {
  if (!file->is_remote_) return std::make_shared<Reading>(file, file->blob_);
  TRY_ASSIGN(Blob blob, file->objects_.Open(ctx, file->key_));
  const std::lock_guard<std::mutex> lock(file->mutex_);
  file->blob_ = blob;
  ++file->readers_;
  return std::make_shared<Reading>(file, std::move(blob));
}

Blob SegmentFile::Reading::Held() const {
  if (file_->is_mapped_ || !HasPages(blob_)) return blob_;
  Blob held = AlignedCopy(blob_.bytes());
  DropPages(blob_.bytes());
  return held;
}

void SegmentFile::Rest() {
  if (!is_remote_) {
    if (HasPages(blob_)) DropPages(blob_.bytes());
    return;
  }
  Blob last;  // Unmapped after the lock.
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--readers_ > 0) return;
    last = std::exchange(blob_, Blob());
  }
  // A disk that does not give the copy back may take a new one.
  if (CheckMapped(last.bytes()).ok()) return;
  SystemClock clock;
  Context ctx(clock);
  (void)objects_.ForgetCopy(ctx, key_);
}

Status SegmentFile::Check() const {
  if (!is_remote_) return CheckMapped(blob_.bytes());
  const std::lock_guard<std::mutex> lock(mutex_);
  return CheckMapped(blob_.bytes());
}

}  // namespace elanus::segment
