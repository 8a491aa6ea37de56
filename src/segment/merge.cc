// From row offsets of several segments to the rows of an answer.
#include <algorithm>

#include "model/groups.h"
#include "segment/grouping.h"
#include "segment/search.h"

namespace elanus::segment {
namespace {

struct Candidate {
  float score;
  uint32_t segment;
  uint32_t row;
  uint32_t element = 0;
  float own_score = 0;  // Of a page, see model::kScoreField.
};

// The key of a row; the view keeps the bytes alive.
Result<std::string_view> KeyOf(const SegmentView& segment, FieldId key, uint32_t row) {
  TRY_ASSIGN(const model::ColumnView view, segment.Read(key, row, 1));
  return view.Bytes(0);
}

bool KeyLess(model::DataType type, std::string_view a, std::string_view b) {
  if (type != model::DataType::kInt64) return a < b;
  int64_t x;
  int64_t y;
  std::memcpy(&x, a.data(), 8);
  std::memcpy(&y, b.data(), 8);
  return x < y;
}

// The best k of one query over all segments, one row a key, or one of each element of it; of a
// grouped search all of them.
Status MergeQuery(std::span<const Found> found, const model::ShardSearch& search, uint32_t q,
                  const model::FieldSchema& key_field, std::vector<Candidate>& merged) {
  struct Keyed {
    Candidate candidate;
    std::string_view key;
  };
  std::vector<Keyed> all;
  for (uint32_t s = 0; s < found.size(); ++s) {
    for (uint32_t i = 0; i < search.hits_max(); ++i) {
      const size_t slot = size_t{q} * search.hits_max() + i;
      const uint32_t row = found[s].hits.rows[slot];
      if (row == index::kNoRow) break;
      TRY_ASSIGN(const std::string_view key, KeyOf(*found[s].segment, key_field.id, row));
      const SegmentHits& hits = found[s].hits;
      const uint32_t element = search.by_element ? hits.elements[slot] : 0;
      const float score = hits.scores[slot];
      const float own_score = hits.own_scores.empty() ? score : hits.own_scores[slot];
      all.push_back({{score, s, row, element, own_score}, key});
    }
  }
  const bool larger_is_better = model::LargerIsBetter(search.metric);
  std::sort(all.begin(), all.end(), [&](const Keyed& a, const Keyed& b) {
    if (a.candidate.score != b.candidate.score) {
      return larger_is_better ? a.candidate.score > b.candidate.score
                              : a.candidate.score < b.candidate.score;
    }
    if (a.key == b.key) return a.candidate.element < b.candidate.element;
    return KeyLess(key_field.type, a.key, b.key);
  });
  const bool repeats_keys = search.repeats_keys();
  // Equal keys rarely meet: sorting the keys once finds them without a hash table.
  std::vector<uint32_t> by_key(all.size());
  for (uint32_t i = 0; i < all.size(); ++i) by_key[i] = i;
  std::sort(by_key.begin(), by_key.end(), [&](uint32_t a, uint32_t b) {
    if (all[a].key != all[b].key) return all[a].key < all[b].key;
    const uint32_t first = all[a].candidate.element;
    const uint32_t second = all[b].candidate.element;
    return repeats_keys && first != second ? first < second : a < b;
  });
  std::vector<uint8_t> repeated(all.size(), 0);
  for (size_t i = 1; i < by_key.size(); ++i) {
    const Keyed& one = all[by_key[i]];
    const Keyed& before = all[by_key[i - 1]];
    const bool is_same = !repeats_keys || one.candidate.element == before.candidate.element;
    if (one.key == before.key && is_same) repeated[by_key[i]] = 1;
  }
  merged.clear();
  const size_t most = search.grouping.is_on() ? all.size() : search.k;
  for (uint32_t i = 0; i < all.size() && merged.size() < most; ++i) {
    if (!repeated[i]) merged.push_back(all[i].candidate);
  }
  return {};
}

// Leaves the hits of the best groups, group by group, and appends their values.
Status GroupHits(Context& ctx, std::span<const Found> found, const model::ShardSearch& search,
                 std::vector<Candidate>& merged, std::vector<model::Column>& group_values) {
  std::vector<model::Column> values = MakeGroupColumns(search.grouping);
  for (const Candidate& hit : merged) {
    TRY(AppendGroupValues(ctx, *found[hit.segment].segment, search.grouping, std::span(&hit.row, 1),
                          values));
  }
  const std::vector<model::ColumnView> views = model::ViewsOf(values);
  model::Groups groups(search.k, search.grouping.group_size);
  for (uint32_t i = 0; i < merged.size() && !groups.is_full(); ++i) {
    groups.Add(model::GroupText(views, i), i);
  }
  std::vector<Candidate> kept;
  for (const std::vector<uint32_t>& members : groups.members()) {
    for (uint32_t i : members) {
      kept.push_back(merged[i]);
      for (size_t c = 0; c < views.size(); ++c) group_values[c].AppendRow(views[c], i);
    }
  }
  merged = std::move(kept);
  return {};
}

}  // namespace

Status AppendValues(const SegmentView& segment, FieldId field, std::span<const uint32_t> rows,
                    model::Column& to) {
  for (uint32_t row : rows) {
    TRY_ASSIGN(const model::ColumnView view, segment.Read(field, row, 1));
    to.AppendRow(view, 0);
  }
  return {};
}

Result<model::PartialHits> MergeHits(Context& ctx, std::span<const Found> found,
                                     const model::ShardSearch& search,
                                     const model::CollectionSchema& schema, Timestamp read_at) {
  const model::FieldSchema& key_field = schema.primary_key();
  model::PartialHits out;
  out.read_at = read_at;
  for (const Found& one : found) out.searched_rows += static_cast<int64_t>(one.segment->rows());
  out.primary_keys =
      model::MakeColumn(key_field.id, key_field.name, key_field.type, model::DataType::kNone, 0);
  for (FieldId id : search.read.output_fields) {
    const model::FieldSchema* field = schema.FindField(id);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "field not found[field={}]", id.value());
    }
    out.columns.push_back(
        model::MakeColumn(id, field->name, field->type, field->element_type, field->dim()));
    out.columns.back().is_dynamic = field->is_dynamic;
  }
  if (search.by_element) {
    out.columns.push_back(model::MakeColumn(model::kElementField, "", model::DataType::kInt64,
                                            model::DataType::kNone, 0));
  }
  if (search.cursor) {
    out.columns.push_back(model::MakeColumn(model::kScoreField, "", model::DataType::kFloat,
                                            model::DataType::kNone, 0));
  }
  out.group_values = MakeGroupColumns(search.grouping);
  std::vector<Candidate> merged;
  for (uint32_t q = 0; q < search.nq(); ++q) {
    TRY(ctx.CheckAlive());
    TRY(MergeQuery(found, search, q, key_field, merged));
    if (search.grouping.is_on()) {
      TRY(GroupHits(ctx, found, search, merged, out.group_values));
    }
    out.counts.push_back(static_cast<uint32_t>(merged.size()));
    for (const Candidate& hit : merged) {
      const SegmentView& segment = *found[hit.segment].segment;
      out.scores.push_back(hit.score);
      TRY(AppendValues(segment, key_field.id, std::span(&hit.row, 1), out.primary_keys));
      for (model::Column& column : out.columns) {
        if (column.field_id == model::kElementField) {
          const auto element = static_cast<int64_t>(hit.element);
          column.AppendFixed(&element);
          continue;
        }
        if (column.field_id == model::kScoreField) {
          column.AppendFixed(&hit.own_score);
          continue;
        }
        TRY(AppendValues(segment, column.field_id, std::span(&hit.row, 1), column));
      }
    }
  }
  for (const Found& one : found) TRY(one.segment->CheckFiles());
  return out;
}

}  // namespace elanus::segment
