// The files of one segment.
#include "data/segment_writer.h"

#include <algorithm>

namespace elanus::data {
namespace {
constexpr size_t kRowsPerCheck = 8192;  // Between two looks at the context.
}

SegmentWriter::SegmentWriter(store::ObjectStore& objects, model::SegmentInfo info,
                             FieldId primary_key, WritePace* pace)
    : objects_(objects),
      pace_(pace),
      primary_key_(primary_key),
      info_(std::move(info)),
      folder_(fmt::format("segments/{}/{}", info_.collection.value(), info_.id.value())),
      manifest_{.segment = info_.id, .collection = info_.collection, .partition = info_.partition} {
}

Status SegmentWriter::Put(Context& ctx, const model::Column& column) {
  return Put(ctx,
             {.field = column.field_id,
              .type = column.type,
              .element_type = column.element_type,
              .dim = column.dim},
             [&](const store::TakeSlice& take) { return take(column.view()); });
}

Status SegmentWriter::Put(Context& ctx, store::ColumnShape shape,
                          const store::ColumnSlices& slices) {
  TRY(ctx.CheckAlive());
  shape.is_primary_key = shape.field == primary_key_;
  const std::string key = fmt::format("{}/{}.col", folder_, shape.field.value());
  size_t rows = 0;
  const store::ColumnSlices while_alive = [&](const store::TakeSlice& take) {
    return slices([&](const model::ColumnView& slice) -> Status {
      rows += slice.rows;
      if (rows >= kRowsPerCheck) TRY(ctx.CheckAlive());
      rows %= kRowsPerCheck;
      return take(slice);
    });
  };
  TRY_ASSIGN(const auto object, objects_.Create(ctx, key));
  TRY_ASSIGN(const store::WrittenColumn written,
             store::WriteColumnFile(shape, while_alive, [&](std::string_view piece) -> Status {
               TRY(ctx.CheckAlive());
               TRY(object->Append(piece));
               return pace_ == nullptr ? Status() : pace_->Spend(ctx, piece.size());
             }));
  TRY(object->Finish());
  info_.bytes += static_cast<int64_t>(written.bytes);
  manifest_.files.push_back({.field = shape.field,
                             .key = key,
                             .bytes = static_cast<int64_t>(written.bytes),
                             .range = written.range});
  info_.fields.push_back(shape.field);
  return {};
}

Result<model::SegmentInfo> SegmentWriter::Finish(Context& ctx,
                                                 std::span<const uint64_t> row_timestamps,
                                                 FieldId sorted_by) {
  const model::ColumnView timestamps{
      .type = model::DataType::kInt64,
      .width = sizeof(uint64_t),
      .rows = row_timestamps.size(),
      .data = reinterpret_cast<const uint8_t*>(row_timestamps.data())};
  TRY(Put(ctx, {.field = segment::kTimestampField, .type = model::DataType::kInt64},
          [&](const store::TakeSlice& take) { return take(timestamps); }));
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
