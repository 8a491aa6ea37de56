// From sealed rows to files.
#include <algorithm>
#include <numeric>

#include "data/node.h"
#include "data/segment_writer.h"
#include "model/order.h"
#include "model/reduce.h"
#include "store/formats/delta_log.h"

namespace elanus::data {
namespace {

// The rows in the order of a field, those of one value as they were; none: they are in it already.
std::vector<uint32_t> PlacesBy(FieldId field, std::span<const model::Column> columns) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const model::Column& column) {
    return column.field_id == field;
  });
  if (field == FieldId() || found == columns.end()) return {};
  const model::ColumnView values = found->view();
  const model::OrderField order{.field = field, .nulls_first = true};
  const auto before = [&](uint32_t a, uint32_t b) {
    return model::CompareInOrder(order, values, a, values, b) < 0;
  };
  std::vector<uint32_t> places(values.rows);
  std::iota(places.begin(), places.end(), 0);
  if (std::is_sorted(places.begin(), places.end(), before)) return {};
  std::stable_sort(places.begin(), places.end(), before);
  return places;
}

}  // namespace

Result<model::SegmentInfo> Node::Flush(Context& ctx, const roles::FlushTask& task) {
  SegmentWriter writer(objects_,
                       {.id = task.segment,
                        .collection = task.collection,
                        .partition = task.partition,
                        .vchannel = task.vchannel},
                       task.primary_key);
  const std::vector<uint32_t> places = PlacesBy(task.sort_by, task.columns);
  if (places.empty()) {
    for (const model::Column& column : task.columns) TRY(writer.Put(ctx, column));
    return writer.Finish(ctx, task.row_timestamps);
  }
  for (const model::Column& column : task.columns) {
    model::Column sorted = model::EmptyLike(column);
    for (uint32_t row : places) sorted.AppendRow(column.view(), row);
    TRY(writer.Put(ctx, sorted));
  }
  std::vector<uint64_t> timestamps;
  timestamps.reserve(places.size());
  for (uint32_t row : places) timestamps.push_back(task.row_timestamps[row]);
  return writer.Finish(ctx, timestamps, task.sort_by);
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
      .rows = static_cast<int64_t>(deletes.keys.rows),
      .newest = Timestamp(newest)};
  const std::string bytes = store::EncodeDeltaLog(deletes);
  info.bytes = static_cast<int64_t>(bytes.size());
  TRY(objects_.Put(ctx, info.key, bytes));
  return info;
}

}  // namespace elanus::data
