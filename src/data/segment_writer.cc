// The files of one segment.
#include "data/segment_writer.h"

#include <algorithm>

#include "store/formats/column_file.h"

namespace elanus::data {

SegmentWriter::SegmentWriter(store::ObjectStore& objects, model::SegmentInfo info)
    : objects_(objects),
      info_(std::move(info)),
      folder_(fmt::format("segments/{}/{}", info_.collection.value(), info_.id.value())),
      manifest_{.segment = info_.id, .collection = info_.collection, .partition = info_.partition} {
}

Status SegmentWriter::Put(Context& ctx, const model::Column& column) {
  TRY(ctx.CheckAlive());
  const std::string key = fmt::format("{}/{}.col", folder_, column.field_id.value());
  const std::string bytes = store::EncodeColumnFile(column);
  TRY(objects_.Put(ctx, key, bytes));
  info_.bytes += static_cast<int64_t>(bytes.size());
  manifest_.files.push_back({.field = column.field_id,
                             .key = key,
                             .bytes = static_cast<int64_t>(bytes.size()),
                             .range = segment::ColumnRange::Of(column.view())});
  return {};
}

Result<model::SegmentInfo> SegmentWriter::Finish(Context& ctx,
                                                 std::span<const uint64_t> row_timestamps,
                                                 FieldId sorted_by) {
  model::Column timestamps = model::MakeColumn(segment::kTimestampField, "Timestamp",
                                               model::DataType::kInt64, model::DataType::kNone, 0);
  for (uint64_t timestamp : row_timestamps) timestamps.AppendFixed(&timestamp);
  TRY(Put(ctx, timestamps));
  manifest_.rows = static_cast<int64_t>(row_timestamps.size());
  if (!row_timestamps.empty()) {
    const auto [oldest, newest] = std::minmax_element(row_timestamps.begin(), row_timestamps.end());
    info_.oldest = Timestamp(*oldest);
    info_.newest = Timestamp(*newest);
  }
  const bool is_in_time_order = std::is_sorted(row_timestamps.begin(), row_timestamps.end());
  manifest_.sorted_by = is_in_time_order ? FieldId() : sorted_by;
  manifest_.oldest_timestamp = info_.oldest.value();
  manifest_.newest_timestamp = info_.newest.value();
  info_.state = model::SegmentState::kFlushed;
  info_.rows = manifest_.rows;
  info_.manifest_key = folder_ + "/manifest";
  TRY(objects_.Put(ctx, info_.manifest_key, segment::EncodeManifest(manifest_)));
  return info_;
}

}  // namespace elanus::data
