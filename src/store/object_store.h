// Immutable objects by key: binlogs, manifests, indexes. Local files now, S3 later.
#pragma once

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
  /// one. Errors: kIoFailed, kDiskLimitExceeded when the disk is full.
  virtual Status Put(Context& ctx, std::string_view key, std::string_view bytes) = 0;
  /// The same for what is too large to be in memory as a whole.
  virtual Result<std::unique_ptr<ObjectWriter>> Create(Context& ctx, std::string_view key) = 0;
  /// The object's bytes, 64-byte aligned; mapped where the backend can. kKeyNotFound when it is not
  /// there.
  virtual Result<Blob> Open(Context& ctx, std::string_view key) = 0;
  /// Keys that start with `prefix`, ascending.
  virtual Result<std::vector<std::string>> List(Context& ctx, std::string_view prefix) = 0;
  /// Succeeds when the object is not there.
  virtual Status Delete(Context& ctx, std::string_view key) = 0;
};

}  // namespace elanus::store
