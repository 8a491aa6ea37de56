// Writes the files of one segment: columns one after another, the manifest last.
#pragma once

#include <span>

#include "base/context.h"
#include "data/write_pace.h"
#include "model/requests/shard.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "store/object_store.h"

namespace elanus::data {

/// Holds a megabyte of what it writes at a time. For one thread. What it has written is garbage
/// until the catalog knows the segment.
class SegmentWriter {
 public:
  /// `info` names the segment: id, collection, partition, channel. The file of `primary_key` gets a
  /// filter of its keys. `pace` may be null: as fast as it goes.
  SegmentWriter(store::ObjectStore& objects, model::SegmentInfo info, FieldId primary_key,
                WritePace* pace = nullptr);
  /// Writes one column file; all columns have the same rows.
  Status Put(Context& ctx, const model::Column& column);
  /// The same of rows that are nowhere together.
  Status Put(Context& ctx, store::ColumnShape shape, const store::ColumnSlices& slices);
  /// Writes the insert timestamps, then the manifest. `sorted_by`: the field whose values ascend,
  /// where the timestamps do not. The segment as the catalog is to keep it.
  Result<model::SegmentInfo> Finish(Context& ctx, std::span<const uint64_t> row_timestamps,
                                    FieldId sorted_by = {});

 private:
  /// Sees the primary keys of the rows in order, and whether they ascend.
  void NoteKeys(const model::ColumnView& keys);

  store::ObjectStore& objects_;
  WritePace* const pace_;
  const FieldId primary_key_;
  model::SegmentInfo info_;
  std::string folder_;
  segment::Manifest manifest_;
  std::string last_key_;  // Its bytes.
  bool has_keys_ = false;
};

}  // namespace elanus::data
