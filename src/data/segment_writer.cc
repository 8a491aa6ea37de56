// The files of one segment.
#include "data/segment_writer.h"

#include <algorithm>
#include <optional>

#include "model/block_stats.h"

namespace elanus::data {
namespace {

// Brings ranges of parts together. Texts of parts go away with them, so the best are copied.
class RangeOfSlices {
 public:
  void Add(const model::ColumnView& slice) {
    const model::BlockStats more = model::StatsOf(slice);
    stats_.nulls += more.nulls;
    stats_.has_nan = stats_.has_nan || more.has_nan;
    if (more.box && stats_.box) stats_.box->Add(*more.box);
    if (!more.box || rows_ == 0) stats_.box = more.box;
    rows_ += slice.rows;
    if (!more.has_range) return;
    const bool is_first = !stats_.has_range;
    stats_.has_range = true;
    stats_.int_min = is_first ? more.int_min : std::min(stats_.int_min, more.int_min);
    stats_.int_max = is_first ? more.int_max : std::max(stats_.int_max, more.int_max);
    stats_.real_min = is_first ? more.real_min : std::min(stats_.real_min, more.real_min);
    stats_.real_max = is_first ? more.real_max : std::max(stats_.real_max, more.real_max);
    if (is_first || more.text_min < text_min_) text_min_ = more.text_min;
    if (is_first || more.text_max > text_max_) text_max_ = more.text_max;
  }

  segment::ColumnRange range() {
    stats_.text_min = text_min_;
    stats_.text_max = text_max_;
    return segment::ColumnRange::Of(stats_);
  }

 private:
  model::BlockStats stats_;
  size_t rows_ = 0;
  std::string text_min_;
  std::string text_max_;
};

}  // namespace

SegmentWriter::SegmentWriter(store::ObjectStore& objects, model::SegmentInfo info, WritePace* pace)
    : objects_(objects),
      pace_(pace),
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

Status SegmentWriter::Put(Context& ctx, const store::ColumnShape& shape,
                          const store::ColumnSlices& slices) {
  TRY(ctx.CheckAlive());
  const std::string key = fmt::format("{}/{}.col", folder_, shape.field.value());
  RangeOfSlices range;
  TRY(slices([&](const model::ColumnView& slice) -> Status {
    range.Add(slice);
    return ctx.CheckAlive();
  }));
  TRY_ASSIGN(const auto object, objects_.Create(ctx, key));
  TRY_ASSIGN(const uint64_t bytes,
             store::WriteColumnFile(shape, slices, [&](std::string_view piece) -> Status {
               TRY(ctx.CheckAlive());
               TRY(object->Append(piece));
               return pace_ == nullptr ? Status() : pace_->Spend(ctx, piece.size());
             }));
  TRY(object->Finish());
  info_.bytes += static_cast<int64_t>(bytes);
  manifest_.files.push_back({.field = shape.field,
                             .key = key,
                             .bytes = static_cast<int64_t>(bytes),
                             .range = range.range()});
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
