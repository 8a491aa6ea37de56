// From sealed rows to files.
#include <algorithm>

#include "base/fields.h"
#include "data/node.h"
#include "segment/sealed.h"
#include "store/formats/column_file.h"
#include "store/formats/delta_log.h"

namespace elanus::data {

Result<model::SegmentInfo> Node::Flush(Context& ctx, const roles::FlushTask& task) {
  const std::string folder =
      fmt::format("segments/{}/{}", task.collection.value(), task.segment.value());
  segment::Manifest manifest{.segment = task.segment,
                             .collection = task.collection,
                             .partition = task.partition,
                             .rows = static_cast<int64_t>(task.row_timestamps.size())};
  const auto put = [&](const model::Column& column) -> Status {
    TRY(ctx.CheckAlive());
    const std::string key = fmt::format("{}/{}.col", folder, column.field_id.value());
    TRY(objects_.Put(ctx, key, store::EncodeColumnFile(column)));
    manifest.files.push_back({.field = column.field_id, .key = key});
    return {};
  };
  for (const model::Column& column : task.columns) TRY(put(column));
  model::Column timestamps = model::MakeColumn(segment::kTimestampField, "Timestamp",
                                               model::DataType::kInt64, model::DataType::kNone, 0);
  for (uint64_t timestamp : task.row_timestamps) {
    timestamps.AppendFixed(&timestamp);
    manifest.newest_timestamp = std::max(manifest.newest_timestamp, timestamp);
  }
  TRY(put(timestamps));
  model::SegmentInfo info{.id = task.segment,
                          .collection = task.collection,
                          .partition = task.partition,
                          .vchannel = task.vchannel,
                          .state = model::SegmentState::kFlushed,
                          .rows = manifest.rows,
                          .manifest_key = folder + "/manifest"};
  TRY(objects_.Put(ctx, info.manifest_key, segment::EncodeManifest(manifest)));
  return info;
}

Result<model::DeltaInfo> Node::FlushDeletes(Context& ctx, CollectionId collection,
                                            const std::string& vchannel,
                                            const model::Deletes& deletes) {
  // Keyed by content moment: a repeated flush of the same deletes writes the same object.
  const uint64_t newest = *std::max_element(deletes.timestamps.begin(), deletes.timestamps.end());
  model::DeltaInfo info{
      .key = fmt::format("deltas/{}/{}/{:020}", collection.value(), vchannel, newest),
      .collection = collection,
      .vchannel = vchannel,
      .rows = static_cast<int64_t>(deletes.keys.rows)};
  TRY(objects_.Put(ctx, info.key, store::EncodeDeltaLog(deletes)));
  return info;
}

}  // namespace elanus::data
