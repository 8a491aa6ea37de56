// The last steps of a search.
#include "proxy/ops/search_finish.h"

#include <algorithm>

#include "model/groups.h"

namespace elanus::proxy {

Status OrderAndCut(Context& ctx, const std::vector<OrderTerm>& terms,
                   const std::vector<const model::Column*>& columns,
                   std::span<const model::Column> group_values, const AnswerWindow& window,
                   std::vector<std::vector<uint32_t>>& places) {
  const std::vector<model::ColumnView> groups = model::ViewsOf(group_values);
  for (std::vector<uint32_t>& hits : places) {
    // Hits that stay together: those of a group, which stand side by side.
    std::vector<std::vector<uint32_t>> units;
    std::string last_group;
    for (uint32_t place : hits) {
      std::string group = groups.empty() ? std::string() : model::GroupText(groups, place);
      if (units.empty() || groups.empty() || group != last_group) units.emplace_back();
      units.back().push_back(place);
      last_group = std::move(group);
    }
    if (!terms.empty()) TRY(SortUnits(ctx, terms, columns, units));
    hits.clear();
    const auto begin = std::min(units.size(), static_cast<size_t>(window.offset));
    const auto end = std::min(units.size(), begin + static_cast<size_t>(window.limit));
    for (size_t i = begin; i < end; ++i) hits.insert(hits.end(), units[i].begin(), units[i].end());
  }
  return {};
}

std::vector<std::vector<uint32_t>> PlacesOf(const model::PartialHits& hits) {
  std::vector<std::vector<uint32_t>> places;
  uint32_t next = 0;
  for (uint32_t count : hits.counts) {
    places.emplace_back();
    for (uint32_t i = 0; i < count; ++i) places.back().push_back(next++);
  }
  return places;
}

std::vector<float> ScoresAt(const std::vector<float>& scores,
                            const std::vector<std::vector<uint32_t>>& places) {
  std::vector<float> at;
  for (const std::vector<uint32_t>& hits : places) {
    for (uint32_t place : hits) at.push_back(scores[place]);
  }
  return at;
}

int64_t LargestCount(std::span<const uint32_t> counts) {
  return counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
}

model::SearchResult MakeResult(model::PartialHits hits, const OutputFields& output,
                               const model::CollectionSchema& schema, int64_t top_k) {
  model::SearchResult result;
  result.nq = static_cast<uint32_t>(hits.counts.size());
  result.top_k = top_k;
  result.counts = std::move(hits.counts);
  result.searched_rows = hits.searched_rows;
  result.primary_keys = std::move(hits.primary_keys);
  result.scores = std::move(hits.scores);
  for (const model::Column& column : hits.columns) {
    if (column.field_id != model::kElementField) continue;
    const model::ColumnView view = column.view();
    for (size_t i = 0; i < view.rows; ++i) result.element_indices.push_back(view.Get<int64_t>(i));
  }
  result.columns = std::move(hits.columns);
  result.columns.resize(output.ids.size());
  // The key goes last, behind the fields that were asked for, as clients know it.
  const auto key = std::find_if(
      result.columns.begin(), result.columns.end(),
      [&](const model::Column& column) { return column.field_id == schema.primary_key().id; });
  if (key != result.columns.end()) std::rotate(key, key + 1, result.columns.end());
  result.group_values = std::move(hits.group_values);
  result.output_fields = output.names;
  result.primary_field = schema.primary_key().name;
  for (model::Column& column : result.columns) {
    if (column.is_dynamic) CutDynamic(output, column);
  }
  return result;
}

void AddFields(const std::vector<FieldId>& wanted, std::vector<FieldId>& fields) {
  for (FieldId id : wanted) {
    if (std::find(fields.begin(), fields.end(), id) == fields.end()) fields.push_back(id);
  }
}

Status CheckBytes(int64_t bytes_max, const model::PartialHits& hits) {
  size_t bytes = hits.primary_keys.data.size() + hits.scores.size() * sizeof(float);
  for (const model::Column& column : hits.columns) bytes += column.data.size();
  if (bytes <= static_cast<size_t>(bytes_max)) return {};
  return Invalid("the answer has {} bytes, at most {} are allowed", bytes, bytes_max);
}

}  // namespace elanus::proxy
