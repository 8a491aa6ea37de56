// The files of one segment.
#include "data/segment_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

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
  bool is_first_pass = shape.is_primary_key;
  const store::ColumnSlices while_alive = [&](const store::TakeSlice& take) {
    const bool notes_keys = std::exchange(is_first_pass, false);
    return slices([&](const model::ColumnView& slice) -> Status {
      if (notes_keys) NoteKeys(slice);
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

void SegmentWriter::NoteKeys(const model::ColumnView& keys) {
  if (!has_keys_) info_.is_sorted_by_key = true;
  has_keys_ = true;
  const auto is_before = [&](std::string_view a, std::string_view b) {
    if (keys.type != model::DataType::kInt64) return a < b;
    int64_t left = 0;
    int64_t right = 0;
    std::memcpy(&left, a.data(), sizeof(left));
    std::memcpy(&right, b.data(), sizeof(right));
    return left < right;
  };
  std::string_view last = last_key_;
  for (size_t i = 0; i < keys.rows && info_.is_sorted_by_key; ++i) {
    const std::string_view key = keys.Bytes(i);
    if (!last_key_.empty() || i > 0) info_.is_sorted_by_key = !is_before(key, last);
    last = key;
  }
  if (keys.rows > 0) last_key_ = std::string(keys.Bytes(keys.rows - 1));
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
  info_.file_version = static_cast<int32_t>(store::kColumnVersion);
  info_.rows = manifest_.rows;
  info_.manifest_key = folder_ + "/manifest";
  TRY(objects_.Put(ctx, info_.manifest_key, segment::EncodeManifest(manifest_)));
  return info_;
}

}  // namespace elanus::data
