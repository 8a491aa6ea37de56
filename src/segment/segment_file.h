// A file of a loaded segment: mapped while the segment is there, or fetched when somebody reads it.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/blob.h"
#include "base/context.h"
#include "base/log.h"
#include "store/object_store.h"

namespace elanus::segment {

/// The keys of objects that loaded segments may still open: nobody deletes them meanwhile.
/// Thread-safe.
class KeysInUse {
 public:
  void Add(const std::string& key);
  void Remove(const std::string& key);
  std::set<std::string> List() const;

 private:
  mutable std::mutex mutex_;
  std::multiset<std::string> keys_;
};

/// Thread-safe. A local file is mapped for as long as the segment is there, so that it can be
/// removed meanwhile, and has no pages while nobody reads it. A remote one is opened by the first
/// who reads it and let go by the last; its key is in use for as long as this lives.
class SegmentFile {
 public:
  /// `keys` may be null for stores that are not remote. Errors: as ObjectStore::Open, where the
  /// store is not remote.
  static Result<std::shared_ptr<SegmentFile>> Open(Context& ctx, store::ObjectStore& objects,
                                                   const std::string& key, bool is_mapped,
                                                   std::shared_ptr<KeysInUse> keys);
  ~SegmentFile();
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  /// Somebody reads the file for as long as this is there. One that is destroyed last lets go of
  /// pages and, of a remote file, of the mapping.
  class Reading {
   public:
    Reading(std::shared_ptr<SegmentFile> file, Blob blob)
        : file_(std::move(file)), blob_(std::move(blob)) {}
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { file_->Rest(); }
    /// The bytes of the file.
    const Blob& blob() const { return blob_; }
    /// The bytes as they are to be held: the same, or a copy on the heap.
    Blob Held() const;

   private:
    const std::shared_ptr<SegmentFile> file_;
    const Blob blob_;
  };
  /// Errors: as ObjectStore::Open.
  static Result<std::shared_ptr<Reading>> Read(Context& ctx,
                                               const std::shared_ptr<SegmentFile>& file);

  /// Reads the file by `read(const std::shared_ptr<Reading>&)`, whose result it returns. Where that
  /// is kIntegrity and the bytes were a copy's, both once more on the object itself.
  template <class Do>
  static auto ReadChecked(Context& ctx, const std::shared_ptr<SegmentFile>& file, const Do& read)
      -> decltype(read(std::shared_ptr<Reading>())) {
    TRY_ASSIGN(std::shared_ptr<Reading> reading, Read(ctx, file));
    auto done = read(reading);
    if (done.status().code() != ErrorCode::kIntegrity) return done;
    reading.reset();
    if (!file->objects_.ForgetCopy(ctx, file->key_)) return done;
    LogWarn("the copy of an object was damaged, it is fetched anew error=\"{}\"",
            done.status().ToString());
    TRY_ASSIGN(reading, Read(ctx, file));
    return read(reading);
  }

  /// Reading it costs no fetch from elsewhere.
  bool is_here() const { return !is_remote_; }
  /// kIntegrity when pages of what is mapped could not be read.
  Status Check() const;

 private:
  SegmentFile(store::ObjectStore& objects, std::string key, bool is_mapped,
              std::shared_ptr<KeysInUse> keys);
  void Rest();

  store::ObjectStore& objects_;
  const std::string key_;
  const bool is_mapped_;
  const bool is_remote_;
  const std::shared_ptr<KeysInUse> keys_;
  mutable std::mutex mutex_;  // Of a remote file: guards what follows. Else that never changes.
  Blob blob_;
  int64_t readers_ = 0;
};

}  // namespace elanus::segment
