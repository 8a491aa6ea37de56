// Query inside segments.
#include "segment/retrieve.h"

#include <algorithm>
#include <numeric>

#include "model/aggregate.h"
#include "model/groups.h"
#include "model/order.h"
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

// Leaves the newest row of each key in the order of keys; at most `limit`.
void SortByKey(std::vector<Row>& rows, int64_t limit) {
  // A page of many rows needs no more of them in order; twice as many hold for repeated keys.
  size_t wanted = limit < 0 ? rows.size() : 2 * static_cast<size_t>(limit) + 1;
  for (;; wanted *= 2) {
    const auto end = rows.begin() + static_cast<ptrdiff_t>(std::min(wanted, rows.size()));
    std::partial_sort(rows.begin(), end, rows.end(), Before);
    const auto last = std::unique(rows.begin(), end, SameKey);
    if (wanted >= rows.size() || last - rows.begin() >= limit) {
      rows.erase(last, rows.end());
      break;
    }
    rows.erase(last, end);
  }
  if (limit >= 0 && rows.size() > static_cast<size_t>(limit)) {
    rows.resize(static_cast<size_t>(limit));
  }
}

// Leaves the first rows in the order of the query's fields, which rows in key order come to.
Status SortByFields(Context& ctx, std::span<const std::shared_ptr<const SegmentView>> segments,
                    const model::ShardQuery& query, std::vector<Row>& rows) {
  std::vector<model::Column> values;
  for (const model::OrderField& order : query.order_by) {
    TRY(ctx.CheckAlive());
    const model::FieldSchema* field = segments[0]->schema().FindField(order.field);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", order.field.value());
    }
    model::Column column =
        model::MakeColumn(field->id, field->name, field->type, model::DataType::kNone, 0);
    for (const Row& row : rows) {
      TRY(AppendValues(*segments[row.segment], field->id, std::span(&row.row, 1), column));
    }
    values.push_back(std::move(column));
  }
  const std::vector<model::ColumnView> views = model::ViewsOf(values);
  std::vector<uint32_t> places(rows.size());
  std::iota(places.begin(), places.end(), 0);
  const size_t kept =
      query.limit < 0 ? rows.size() : std::min(rows.size(), static_cast<size_t>(query.limit));
  std::partial_sort(places.begin(), places.begin() + static_cast<ptrdiff_t>(kept), places.end(),
                    [&](uint32_t a, uint32_t b) {
                      for (size_t i = 0; i < views.size(); ++i) {
                        const int order =
                            model::CompareInOrder(query.order_by[i], views[i], a, views[i], b);
                        if (order != 0) return order < 0;
                      }
                      return a < b;
                    });
  std::vector<Row> sorted;
  for (size_t i = 0; i < kept; ++i) sorted.push_back(rows[places[i]]);
  rows = std::move(sorted);
  return {};
}

// Adds the allowed rows of one segment up.
Status AddUp(Context& ctx, const SegmentView& segment, const Allowed& allowed,
             const model::ShardQuery& query, model::Aggregator& sums) {
  for (size_t begin = 0; begin < segment.rows(); begin += kChunkRows) {
    TRY(ctx.CheckAlive());
    const size_t count = std::min(kChunkRows, segment.rows() - begin);
    std::vector<model::ColumnView> group;
    for (FieldId field : query.group_by) {
      TRY_ASSIGN(group.emplace_back(), segment.Read(field, begin, count));
    }
    std::vector<model::ColumnView> values;
    for (const model::Aggregate& aggregate : query.aggregates) {
      values.emplace_back();
      if (aggregate.field == FieldId()) continue;
      TRY_ASSIGN(values.back(), segment.Read(aggregate.field, begin, count));
    }
    const BitsetView bits = allowed.view();
    for (size_t i = 0; i < count; ++i) {
      if (allowed.all || bits.Test(begin + i)) TRY(sums.Add(group, values, i));
    }
  }
  return {};
}

Result<model::Aggregator> MakeAggregator(const model::ShardQuery& query,
                                         const model::CollectionSchema& schema) {
  std::vector<model::Column> group_columns;
  for (FieldId id : query.group_by) {
    const model::FieldSchema* field = schema.FindField(id);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", id.value());
    }
    group_columns.push_back(
        model::MakeColumn(id, field->name, field->type, model::DataType::kNone, 0));
  }
  return model::Aggregator(std::move(group_columns), query.aggregates, query.groups_max);
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
  TRY_ASSIGN(model::Aggregator sums, MakeAggregator(query, schema));
  for (uint32_t s = 0; s < segments.size(); ++s) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const Allowed allowed, AllowedRows(ctx, *segments[s], plan, query.read, read_at));
    if (allowed.none) continue;
    if (query.aggregates_rows()) {
      TRY(AddUp(ctx, *segments[s], allowed, query, sums));
    } else if (query.count_only) {
      out.count += static_cast<int64_t>(allowed.all ? segments[s]->rows() : allowed.view().Count());
    } else {
      TRY(Collect(*segments[s], s, allowed, key, rows));
    }
    segments[s]->Unpin();  // Keys stay; what the filter has read need not.
  }
  if (query.aggregates_rows()) {
    out.columns = sums.Partial();
    return out;
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

  SortByKey(rows, query.order_by.empty() ? query.limit : -1);
  if (!query.order_by.empty() && !rows.empty()) TRY(SortByFields(ctx, segments, query, rows));
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
