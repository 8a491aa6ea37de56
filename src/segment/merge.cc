// From row offsets of several segments to the rows of an answer.
#include <algorithm>

#include "segment/search.h"

namespace elanus::segment {
namespace {

struct Candidate {
  float score;
  uint32_t segment;
  uint32_t row;
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

// The best k of one query over all segments, one row a key.
Status MergeQuery(std::span<const Found> found, const model::ShardSearch& search, uint32_t q,
                  const model::FieldSchema& key_field, std::vector<Candidate>& merged) {
  struct Keyed {
    Candidate candidate;
    std::string_view key;
  };
  std::vector<Keyed> all;
  for (uint32_t s = 0; s < found.size(); ++s) {
    for (uint32_t i = 0; i < search.k; ++i) {
      const size_t slot = size_t{q} * search.k + i;
      const uint32_t row = found[s].hits.rows[slot];
      if (row == index::kNoRow) break;
      TRY_ASSIGN(const std::string_view key, KeyOf(*found[s].segment, key_field.id, row));
      all.push_back({{found[s].hits.scores[slot], s, row}, key});
    }
  }
  const bool larger_is_better = model::LargerIsBetter(search.metric);
  std::sort(all.begin(), all.end(), [&](const Keyed& a, const Keyed& b) {
    if (a.candidate.score != b.candidate.score) {
      return larger_is_better ? a.candidate.score > b.candidate.score
                              : a.candidate.score < b.candidate.score;
    }
    return KeyLess(key_field.type, a.key, b.key);
  });
  // Equal keys rarely meet: sorting the keys once finds them without a hash table.
  std::vector<uint32_t> by_key(all.size());
  for (uint32_t i = 0; i < all.size(); ++i) by_key[i] = i;
  std::sort(by_key.begin(), by_key.end(), [&](uint32_t a, uint32_t b) {
    return all[a].key != all[b].key ? all[a].key < all[b].key : a < b;
  });
  std::vector<uint8_t> repeated(all.size(), 0);
  for (size_t i = 1; i < by_key.size(); ++i) {
    if (all[by_key[i]].key == all[by_key[i - 1]].key) repeated[by_key[i]] = 1;
  }
  merged.clear();
  for (uint32_t i = 0; i < all.size() && merged.size() < search.k; ++i) {
    if (!repeated[i]) merged.push_back(all[i].candidate);
  }
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

Result<model::PartialHits> MergeHits(std::span<const Found> found, const model::ShardSearch& search,
                                     const model::CollectionSchema& schema, Timestamp read_at) {
  const model::FieldSchema& key_field = schema.primary_key();
  model::PartialHits out;
  out.read_at = read_at;
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
  std::vector<Candidate> merged;
  for (uint32_t q = 0; q < search.nq(); ++q) {
    TRY(MergeQuery(found, search, q, key_field, merged));
    out.counts.push_back(static_cast<uint32_t>(merged.size()));
    for (const Candidate& hit : merged) {
      const SegmentView& segment = *found[hit.segment].segment;
      out.scores.push_back(hit.score);
      TRY(AppendValues(segment, key_field.id, std::span(&hit.row, 1), out.primary_keys));
      for (model::Column& column : out.columns) {
        TRY(AppendValues(segment, column.field_id, std::span(&hit.row, 1), column));
      }
    }
  }
  return out;
}

}  // namespace elanus::segment
