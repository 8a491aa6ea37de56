// A sealed segment: immutable columns mapped from the object store, its indexes, and what was
// deleted since.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/requests/collection.h"
#include "model/requests/shard.h"
#include "segment/segment.h"
#include "store/object_store.h"

namespace elanus::segment {

/// The list of a segment's files: stored framed ("ELMANIFE") as the object
/// `SegmentInfo::manifest_key`.
struct Manifest {
  struct File {
    FieldId field;
    std::string key;
    template <class V>
    void Fields(V& v) {
      v(1, "field", field);
      v(2, "key", key);
    }
  };
  SegmentId segment;
  CollectionId collection;
  PartitionId partition;
  int64_t rows = 0;
  std::vector<File> files;  // One a field, and one for the row timestamps (field kTimestampField).
  uint64_t newest_timestamp = 0;
  template <class V>
  void Fields(V& v) {
    v(1, "segment", segment);
    v(2, "collection", collection);
    v(3, "partition", partition);
    v(4, "rows", rows);
    v(5, "files", files);
    v(6, "newest_timestamp", newest_timestamp);
  }
};

inline constexpr FieldId kTimestampField{1};

std::string EncodeManifest(const Manifest& manifest);
Result<Manifest> DecodeManifest(std::string_view file, std::string_view key);

/// Thread-safe: any number of readers; deletes and new indexes are published to later snapshots.
class Sealed {
 public:
  /// Opens all columns. Errors: kIntegrity, kIoFailed, kKeyNotFound.
  static Result<std::shared_ptr<Sealed>> Open(
      Context& ctx, store::ObjectStore& objects, const model::SegmentInfo& segment,
      std::shared_ptr<const model::CollectionSchema> schema);
  ~Sealed();
  /// Opens the index files that the segment has and that are not open yet, and forgets dropped
  /// indexes.
  Status SyncIndexes(Context& ctx, store::ObjectStore& objects, const model::SegmentInfo& segment,
                     const model::CollectionInfo& collection);
  /// Hides rows with these keys and older insert timestamps, where the deletes reach the segment's
  /// partition.
  void ApplyDeletes(const model::Deletes& deletes);
  std::shared_ptr<const SegmentView> Snapshot() const;

 private:
  struct Impl;
  explicit Sealed(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::segment
