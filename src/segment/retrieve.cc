// Query inside segments.
#include "segment/retrieve.h"

#include <algorithm>

#include "segment/search.h"

namespace elanus::segment {
namespace {

struct Row {
  int64_t int_key;
  std::string_view text_key;
  uint64_t timestamp;
  uint32_t segment;
  uint32_t row;
};

bool SameKey(const Row& a, const Row& b) {
  return a.int_key == b.int_key && a.text_key == b.text_key;
}
// Keys ascending, the newest version first.
bool Before(const Row& a, const Row& b) {
  if (a.int_key != b.int_key) return a.int_key < b.int_key;
  if (a.text_key != b.text_key) return a.text_key < b.text_key;
  return a.timestamp > b.timestamp;
}

Status Collect(const SegmentView& segment, uint32_t number, const Allowed& allowed,
               const model::FieldSchema& key, std::vector<Row>& rows) {
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    TRY_ASSIGN(const model::ColumnView keys, segment.Read(key.id, begin, count));
    const uint64_t* timestamps = segment.RowTimestamps(begin);
    const auto add = [&](size_t i) {
      Row row{.int_key = 0,
              .text_key = {},
              .timestamp = timestamps[i],
              .segment = number,
              .row = static_cast<uint32_t>(begin + i)};
      if (key.type == model::DataType::kInt64)
        row.int_key = keys.Get<int64_t>(i);
      else
        row.text_key = keys.Bytes(i);
      rows.push_back(row);
    };
    if (allowed.all) {
      for (size_t i = 0; i < count; ++i) add(i);
    } else {
      const BitsetView bits = allowed.view();
      ForEachSet({bits.words + begin / 64, count}, add);
    }
  }
  return {};
}

}  // namespace

Result<model::PartialRows> Retrieve(Context& ctx,
                                    std::span<const std::shared_ptr<const SegmentView>> segments,
                                    const expr::Plan& plan, const model::ShardQuery& query,
                                    const model::CollectionSchema& schema, Timestamp read_at) {
  model::PartialRows out;
  out.read_at = read_at;
  const model::FieldSchema& key = schema.primary_key();
  std::vector<Row> rows;
  for (uint32_t s = 0; s < segments.size(); ++s) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const Allowed allowed, AllowedRows(ctx, *segments[s], plan, query.read, read_at));
    if (allowed.none) continue;
    if (query.count_only) {
      out.count += static_cast<int64_t>(allowed.all ? segments[s]->rows() : allowed.view().Count());
    } else {
      TRY(Collect(*segments[s], s, allowed, key, rows));
    }
  }
  out.primary_keys = model::MakeColumn(key.id, key.name, key.type, model::DataType::kNone, 0);
  for (FieldId id : query.read.output_fields) {
    const model::FieldSchema* field = schema.FindField(id);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", id.value());
    }
    out.columns.push_back(
        model::MakeColumn(id, field->name, field->type, field->element_type, field->dim()));
    out.columns.back().is_dynamic = field->is_dynamic;
  }
  if (query.count_only) return out;

  std::sort(rows.begin(), rows.end(), Before);
  rows.erase(std::unique(rows.begin(), rows.end(), SameKey), rows.end());
  if (query.limit >= 0 && rows.size() > static_cast<size_t>(query.limit)) {
    rows.resize(static_cast<size_t>(query.limit));
  }
  for (const Row& row : rows) {
    const SegmentView& segment = *segments[row.segment];
    out.row_timestamps.push_back(row.timestamp);
    TRY(AppendValues(segment, key.id, std::span(&row.row, 1), out.primary_keys));
    for (model::Column& column : out.columns) {
      TRY(AppendValues(segment, column.field_id, std::span(&row.row, 1), column));
    }
  }
  return out;
}

}  // namespace elanus::segment
