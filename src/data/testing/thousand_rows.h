// A thousand rows of a small collection, about to be flushed: for tests of what is loaded of them.
#pragma once

#include "model/requests/collection.h"
#include "roles/data.h"

namespace elanus::data {

inline constexpr FieldId kKey{100};
inline constexpr FieldId kNumber{101};
inline constexpr FieldId kVector{102};

/// With these three fields; vectors have four values.
inline model::CollectionInfo SmallCollection() {
  model::CollectionInfo collection;
  collection.id = CollectionId(3);
  collection.schema.fields = {
      {.id = kKey, .name = "id", .type = model::DataType::kInt64, .is_primary_key = true},
      {.id = kNumber, .name = "n", .type = model::DataType::kInt64},
      {.id = kVector,
       .name = "v",
       .type = model::DataType::kFloatVector,
       .type_params = {{"dim", "4"}}}};
  return collection;
}

/// Keys from 0 on, numbers equal to them, vectors that begin with them. Files lie under
/// "segments/3/1/".
inline roles::FlushTask ThousandRows() {
  roles::FlushTask task{.segment = SegmentId(1),
                        .collection = CollectionId(3),
                        .partition = PartitionId(2),
                        .vchannel = "v",
                        .primary_key = kKey};
  for (const model::FieldSchema& field : SmallCollection().schema.fields) {
    task.columns.push_back(model::MakeColumn(field.id, field.name, field.type, {},
                                             static_cast<uint32_t>(field.dim())));
  }
  for (int64_t key = 0; key < 1000; ++key) {
    const float vector[4] = {static_cast<float>(key), 1, 2, 3};
    task.columns[0].AppendFixed(&key);
    task.columns[1].AppendFixed(&key);
    task.columns[2].AppendFixed(vector);
    task.row_timestamps.push_back(10);
  }
  return task;
}

}  // namespace elanus::data
