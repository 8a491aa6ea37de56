// Immutable objects by key: binlogs, manifests, indexes. Local files, or a remote store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob.h"
#include "base/context.h"
#include "base/status.h"

namespace elanus::store {

/// An object on its way, written from its first byte to its last. For one thread; the store
/// outlives it. One that is destroyed before Finish leaves nothing.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  /// Errors: kIoFailed, kDiskLimitExceeded; after one the object will never be there.
  virtual Status Append(std::string_view bytes) = 0;
  /// Makes it durable and visible, once. Errors: as Put's.
  virtual Status Finish() = 0;
};

/// Keys are '/'-separated, see CheckObjectKey; kInvalidParameter for others. No object's key is the
/// folder of another's ("a" beside "a/b"): not every medium can hold that. Thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Stores the whole object, durable and visible when it returns; never half. Replaces an older
  /// one. Errors: kIoFailed, kDiskLimitExceeded when the disk is full, kServiceUnavailable when a
  /// remote store does not answer for now; so of all that follows.
  virtual Status Put(Context& ctx, std::string_view key, std::string_view bytes) = 0;
  /// The same for what is too large to be in memory as a whole. `ctx` outlives the writer.
  virtual Result<std::unique_ptr<ObjectWriter>> Create(Context& ctx, std::string_view key) = 0;
  /// The object's bytes, 64-byte aligned; mapped where the backend can. kKeyNotFound when it is not
  /// there.
  virtual Result<Blob> Open(Context& ctx, std::string_view key) = 0;
  /// Keys that start with `prefix`, ascending.
  virtual Result<std::vector<std::string>> List(Context& ctx, std::string_view prefix) = 0;
  /// Succeeds when the object is not there.
  virtual Status Delete(Context& ctx, std::string_view key) = 0;
  /// Objects lie elsewhere, and opening one may fetch it: who need not read it yet does not open
  /// it, and sees to it that it is not deleted meanwhile.
  virtual bool IsRemote() const { return false; }
  /// What was opened turned out damaged. True: that was a copy, which is forgotten, and the next
  /// opening fetches the object anew. False: there is nothing else to open.
  virtual bool ForgetCopy(Context&, std::string_view) { return false; }
  /// Ends writes that nobody will finish, as those of a process that died: all that no writer of
  /// this store has and that began at least `age_ms_min` ago. The answer: how many are younger.
  virtual Result<size_t> EndUnfinished(Context&, int64_t /*age_ms_min*/) { return size_t{0}; }
};

}  // namespace elanus::store
