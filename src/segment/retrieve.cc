// Query inside segments.
#include "segment/retrieve.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "expr/element_filter.h"
#include "expr/key_bounds.h"
#include "model/aggregate.h"
#include "model/groups.h"
#include "model/order.h"
#include "segment/expire.h"
#include "segment/kept_elements.h"
#include "segment/key_page.h"
#include "segment/search.h"
#include "segment/segment_step.h"

namespace elanus::segment {
namespace {

// Leaves the first rows in the order of the query's fields, which rows in key order come to.
Status SortByFields(Context& ctx, std::span<const std::shared_ptr<const SegmentView>> segments,
                    const model::ShardQuery& query, std::vector<KeyedRow>& rows) {
  std::vector<model::Column> values;
  for (const model::OrderField& order : query.order_by) {
    TRY(ctx.CheckAlive());
    const model::FieldSchema* field = segments[0]->schema().FindField(order.field);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", order.field.value());
    }
    model::Column column =
        model::MakeColumn(field->id, field->name, field->type, model::DataType::kNone, 0);
    ValueReader reader(segments, field->id);
    for (const KeyedRow& row : rows) TRY(reader.AppendTo(row, column));
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
  std::vector<KeyedRow> sorted;
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

// Behind the columns one more, of the elements that an element_filter keeps of each row.
Status AppendElements(Context& ctx, std::span<const std::shared_ptr<const SegmentView>> segments,
                      const expr::Plan& plan, std::span<const KeyedRow> rows,
                      model::PartialRows& out) {
  const auto sub_field = expr::ElementFilterField(plan);
  if (!sub_field) return {};
  model::Column places = model::MakeColumn(model::kElementField, "", model::DataType::kArray,
                                           model::DataType::kInt64, 0);
  KeptElements kept(ctx, segments, plan, *sub_field);
  for (const KeyedRow& row : rows) TRY(kept.Append(row.segment, row.row, places));
  out.columns.push_back(std::move(places));
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

// Empty columns of the query's output fields.
Result<std::vector<model::Column>> MakeColumns(const model::ShardQuery& query,
                                               const model::CollectionSchema& schema) {
  std::vector<model::Column> columns;
  for (FieldId id : query.read.output_fields) {
    const model::FieldSchema* field = schema.FindField(id);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", id.value());
    }
    columns.push_back(
        model::MakeColumn(id, field->name, field->type, field->element_type, field->dim()));
    columns.back().is_dynamic = field->is_dynamic;
  }
  return columns;
}

// Reads segments one after the other or, where none can tell what another need not do, at once.
class Retrieval {
 public:
  Retrieval(const SearchThreads& threads,
            std::span<const std::shared_ptr<const SegmentView>> segments, const expr::Plan& plan,
            const model::ShardQuery& query, const model::CollectionSchema& schema,
            Timestamp read_at)
      : threads_(threads),
        segments_(segments),
        plan_(plan),
        query_(query),
        schema_(schema),
        read_at_(read_at) {}

  Result<model::PartialRows> Run(Context& ctx) {
    model::PartialRows out;
    out.read_at = read_at_;
    if (query_.aggregates_rows()) {
      TRY_ASSIGN(out.columns, AddAllUp(ctx));
      return out;
    }
    const model::FieldSchema& key = schema_.primary_key();
    out.primary_keys = model::MakeColumn(key.id, key.name, key.type, model::DataType::kNone, 0);
    TRY_ASSIGN(out.columns, MakeColumns(query_, schema_));
    if (query_.count_only) {
      TRY_ASSIGN(out.count, CountAll(ctx));
      return out;
    }
    TRY_ASSIGN(std::vector<KeyedRow> rows, KeptRows(ctx));
    ProfileStep step(ctx, "read output fields");
    step.Says("rows", rows.size());
    if (!query_.order_by.empty() && !rows.empty()) {
      TRY(SortByFields(step.ctx(), segments_, query_, rows));
    }
    TRY(ReadValues(step.ctx(), rows, out));
    TRY(AppendElements(step.ctx(), segments_, plan_, rows, out));
    return out;
  }

 private:
  Result<int64_t> CountAll(Context& ctx) {
    std::vector<int64_t> counts(segments_.size());
    TRY(ForEachTask(ctx, threads_, segments_.size(), [&](size_t s) -> Status {
      ProfileStep step(ctx, "segment");
      SaySegment(step, *segments_[s]);
      TRY_ASSIGN(const Allowed allowed,
                 AllowedRows(step.ctx(), *segments_[s], plan_, query_.read, read_at_));
      if (!allowed.none) {
        counts[s] =
            static_cast<int64_t>(allowed.all ? segments_[s]->rows() : allowed.view().Count());
      }
      segments_[s]->Unpin();
      return {};
    }));
    return std::accumulate(counts.begin(), counts.end(), int64_t{0});
  }

  Result<std::vector<model::Column>> AddAllUp(Context& ctx) {
    TRY_ASSIGN(model::Aggregator sums, MakeAggregator(query_, schema_));
    std::vector<std::optional<model::Aggregator>> parts(segments_.size());
    TRY(ForEachTask(ctx, threads_, segments_.size(), [&](size_t s) -> Status {
      ProfileStep step(ctx, "segment");
      SaySegment(step, *segments_[s]);
      TRY_ASSIGN(const Allowed allowed,
                 AllowedRows(step.ctx(), *segments_[s], plan_, query_.read, read_at_));
      if (allowed.none) return {};
      if (segments_.size() == 1) return AddUp(step.ctx(), *segments_[s], allowed, query_, sums);
      TRY_ASSIGN(model::Aggregator part, MakeAggregator(query_, schema_));
      TRY(AddUp(step.ctx(), *segments_[s], allowed, query_, part));
      parts[s].emplace(std::move(part));
      segments_[s]->Unpin();
      return {};
    }));
    for (const auto& part : parts) {
      if (part) TRY(sums.Merge(part->Partial()));
    }
    return sums.Partial();
  }

  // The rows of the answer; ordered by fields all that pass are.
  Result<std::vector<KeyedRow>> KeptRows(Context& ctx) {
    const model::FieldSchema& key = schema_.primary_key();
    const int64_t limit = query_.order_by.empty() ? query_.limit : -1;
    KeyPage page(key, limit);
    const expr::KeyBounds bounds = expr::SplitKeyBounds(plan_);
    if (limit < 0) {
      std::vector<Allowed> allowed(segments_.size());
      TRY(ForEachTask(ctx, threads_, segments_.size(), [&](size_t s) -> Status {
        ProfileStep step(ctx, "segment");
        SaySegment(step, *segments_[s]);
        TRY_ASSIGN(allowed[s],
                   AllowedRows(step.ctx(), *segments_[s], plan_, query_.read, read_at_));
        segments_[s]->Unpin();  // Keys stay; what the filter has read need not.
        return {};
      }));
      for (uint32_t s = 0; s < segments_.size(); ++s) {
        if (!allowed[s].none) TRY(page.Collect(ctx, *segments_[s], s, allowed[s], bounds));
      }
      return page.Take();
    }
    for (uint32_t s : ByLeastKey(key)) {
      const SegmentView& segment = *segments_[s];
      TRY(ctx.CheckAlive());
      ProfileStep step(ctx, "segment");
      SaySegment(step, segment);
      const auto keys = segment.WholeStats(key.id);
      if (keys && !page.CanHold(*keys)) {
        step.Says("skipped", "its keys lie past the page");
        continue;
      }
      TRY(CollectPage(step.ctx(), s, bounds, page));
      segment.Unpin();
    }
    return page.Take();
  }

  // The rows of segment `s` that the page needs.
  Status CollectPage(Context& ctx, uint32_t s, const expr::KeyBounds& bounds, KeyPage& page) {
    const SegmentView& segment = *segments_[s];
    if (bounds.least || bounds.rest.always_true()) {
      TRY_ASSIGN(const Visible visible, VisibleRows(segment, query_.read, read_at_));
      TRY_ASSIGN(const bool is_done, page.CollectInOrder(ctx, segment, s, visible, bounds));
      if (is_done) return {};
    }
    TRY_ASSIGN(const Allowed allowed, AllowedRows(ctx, segment, plan_, query_.read, read_at_));
    return allowed.none ? Status() : page.Collect(ctx, segment, s, allowed, bounds);
  }

  // Those that may fill the page first; what is not known may hold any key.
  std::vector<uint32_t> ByLeastKey(const model::FieldSchema& key) const {
    std::vector<std::optional<model::BlockStats>> keys;
    std::vector<uint32_t> order;
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      keys.push_back(segments_[s]->WholeStats(key.id));
      if (keys.back() && !keys.back()->has_range) keys.back().reset();
      order.push_back(s);
    }
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      if (!keys[a] || !keys[b]) return !keys[a] && keys[b];
      return key.type == model::DataType::kInt64 ? keys[a]->int_min < keys[b]->int_min
                                                 : keys[a]->text_min < keys[b]->text_min;
    });
    return order;
  }

  Status ReadValues(Context& ctx, const std::vector<KeyedRow>& rows, model::PartialRows& out) {
    for (const KeyedRow& row : rows) out.row_timestamps.push_back(row.timestamp);
    ValueReader keys(segments_, out.primary_keys.field_id);
    TRY(Append(ctx, keys, rows, out.primary_keys));
    for (model::Column& column : out.columns) {
      ValueReader values(segments_, column.field_id);
      TRY(Append(ctx, values, rows, column));
    }
    return {};
  }

  static Status Append(Context& ctx, ValueReader& values, const std::vector<KeyedRow>& rows,
                       model::Column& to) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i % kChunkRows == 0) TRY(ctx.CheckAlive());
      TRY(values.AppendTo(rows[i], to));
    }
    return {};
  }

  const SearchThreads& threads_;
  const std::span<const std::shared_ptr<const SegmentView>> segments_;
  const expr::Plan& plan_;
  const model::ShardQuery& query_;
  const model::CollectionSchema& schema_;
  const Timestamp read_at_;
};

}  // namespace

Result<model::PartialRows> Retrieve(Context& ctx, const SearchThreads& threads,
                                    std::span<const std::shared_ptr<const SegmentView>> segments,
                                    const expr::Plan& plan, const model::ShardQuery& query,
                                    const model::CollectionSchema& schema, Timestamp read_at) {
  auto rows = Retrieval(threads, segments, plan, query, schema, read_at).Run(ctx);
  for (const auto& segment : segments) TRY(segment->CheckFiles());
  return rows;
}

}  // namespace elanus::segment
