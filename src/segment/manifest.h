// The list of a segment's files, with what is known of their values without reading them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "store/formats/column_ranges.h"

namespace elanus::segment {

/// Stored framed ("ELMANIFE") as the object `SegmentInfo::manifest_key`.
struct Manifest {
  struct File {
    FieldId field;
    std::string key;
    int64_t bytes = 0;                        // 0: written by an early build, unknown.
    std::optional<store::ColumnRange> range;  // Unknown for files of early builds.
    template <class V>
    void Fields(V& v) {
      v(1, "field", field);
      v(2, "key", key);
      v(3, "bytes", bytes);
      v(4, "range", range);
    }
  };
  SegmentId segment;
  CollectionId collection;
  PartitionId partition;
  int64_t rows = 0;
  std::vector<File> files;  // One a field, and one for the row timestamps (field kTimestampField).
  uint64_t newest_timestamp = 0;
  FieldId sorted_by;              // The field whose values ascend; 0: the row timestamps do.
  uint64_t oldest_timestamp = 0;  // 0: unknown.
  template <class V>
  void Fields(V& v) {
    v(1, "segment", segment);
    v(2, "collection", collection);
    v(3, "partition", partition);
    v(4, "rows", rows);
    v(5, "files", files);
    v(6, "newest_timestamp", newest_timestamp);
    v(7, "sorted_by", sorted_by);
    v(8, "oldest_timestamp", oldest_timestamp);
  }
};

inline constexpr FieldId kTimestampField{1};

std::string EncodeManifest(const Manifest& manifest);
Result<Manifest> DecodeManifest(std::string_view file, std::string_view key);

}  // namespace elanus::segment
