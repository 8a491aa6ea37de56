// Merging partial answers.
#include "model/reduce.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "model/aggregate.h"
#include "model/groups.h"
#include "model/order.h"

namespace elanus::model {
namespace {

struct Candidate {
  float score;
  uint32_t part;
  size_t at;
};

// Of each part, which elements its hits are; empty when hits are rows.
std::vector<ColumnView> ElementsOf(std::span<const PartialHits> parts) {
  std::vector<ColumnView> elements;
  for (const PartialHits& part : parts) {
    for (const Column& column : part.columns) {
      if (column.field_id == kElementField) elements.push_back(column.view());
    }
  }
  return elements;
}

// The hits of one query, the best first, each key, or each element of it, once.
void SortUnique(std::span<const ColumnView> keys, std::span<const ColumnView> elements,
                bool larger_is_better, std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return larger_is_better ? a.score > b.score : a.score < b.score;
    return CompareKeys(keys[a.part], a.at, keys[b.part], b.at) < 0;
  });
  if (!elements.empty()) {
    std::unordered_set<std::string> met;
    std::erase_if(candidates, [&](const Candidate& candidate) {
      std::string pair(elements[candidate.part].Bytes(candidate.at));
      pair += keys[candidate.part].Bytes(candidate.at);
      return !met.insert(std::move(pair)).second;
    });
    return;
  }
  std::unordered_set<std::string_view> met;
  met.reserve(candidates.size());
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return !met.insert(keys[candidate.part].Bytes(candidate.at)).second;
  });
}

// The hits of the best groups, group by group.
std::vector<Candidate> Grouped(const std::vector<Candidate>& candidates,
                               const std::vector<std::vector<ColumnView>>& groups_of, uint32_t k,
                               uint32_t group_size) {
  Groups groups(k, group_size);
  for (uint32_t i = 0; i < candidates.size() && !groups.is_full(); ++i) {
    groups.Add(GroupText(groups_of[candidates[i].part], candidates[i].at), i);
  }
  std::vector<Candidate> taken;
  for (const std::vector<uint32_t>& members : groups.members()) {
    for (uint32_t i : members) taken.push_back(candidates[i]);
  }
  return taken;
}

Aggregator MakeAggregator(const PartialRows& part, const ShardQuery& query) {
  std::vector<Column> group_columns;
  for (size_t i = 0; i < query.group_by.size(); ++i) {
    group_columns.push_back(EmptyLike(part.columns[i]));
  }
  return Aggregator(std::move(group_columns), query.aggregates, query.groups_max);
}

}  // namespace

Column EmptyLike(const Column& column) {
  Column like =
      MakeColumn(column.field_id, column.name, column.type, column.element_type, column.dim);
  like.is_dynamic = column.is_dynamic;
  return like;
}

int CompareKeys(const ColumnView& a, size_t i, const ColumnView& b, size_t j) {
  if (a.type == DataType::kInt64) {
    const int64_t x = a.Get<int64_t>(i);
    const int64_t y = b.Get<int64_t>(j);
    return x < y ? -1 : x > y;
  }
  const int order = a.Bytes(i).compare(b.Bytes(j));
  return order < 0 ? -1 : order > 0;
}

namespace {

// What of a search decides how its hits are merged.
struct Merging {
  Metric metric;
  uint32_t nq;
  uint32_t k;
  uint32_t group_size;
  bool repeats_keys;  // A hit is an element of a row.
};

PartialHits Reduce(std::span<const PartialHits> parts, const Merging& merging) {
  const uint32_t nq = merging.nq;
  const uint32_t k = merging.k;
  PartialHits out;
  if (parts.empty()) {
    out.counts.assign(nq, 0);
    return out;
  }
  const bool is_grouped = !parts[0].group_values.empty();
  out.primary_keys = EmptyLike(parts[0].primary_keys);
  for (const Column& column : parts[0].columns) out.columns.push_back(EmptyLike(column));
  for (const Column& column : parts[0].group_values) out.group_values.push_back(EmptyLike(column));
  std::vector<ColumnView> keys;
  std::vector<std::vector<ColumnView>> columns;
  std::vector<std::vector<ColumnView>> groups_of;
  for (const PartialHits& part : parts) {
    keys.push_back(part.primary_keys.view());
    columns.push_back(ViewsOf(part.columns));
    groups_of.push_back(ViewsOf(part.group_values));
    out.read_at = std::max(out.read_at, part.read_at);
    out.searched_rows += part.searched_rows;
  }
  const std::vector<ColumnView> elements =
      merging.repeats_keys ? ElementsOf(parts) : std::vector<ColumnView>();
  std::vector<size_t> at(parts.size(), 0);
  std::vector<Candidate> candidates;
  for (uint32_t q = 0; q < nq; ++q) {
    candidates.clear();
    for (uint32_t p = 0; p < parts.size(); ++p) {
      for (uint32_t i = 0; i < parts[p].counts[q]; ++i, ++at[p]) {
        candidates.push_back({parts[p].scores[at[p]], p, at[p]});
      }
    }
    SortUnique(keys, elements, LargerIsBetter(merging.metric), candidates);
    if (is_grouped) candidates = Grouped(candidates, groups_of, k, merging.group_size);
    if (!is_grouped && candidates.size() > k) candidates.resize(k);
    for (const Candidate& candidate : candidates) {
      out.scores.push_back(candidate.score);
      out.primary_keys.AppendRow(keys[candidate.part], candidate.at);
      for (size_t c = 0; c < out.columns.size(); ++c) {
        out.columns[c].AppendRow(columns[candidate.part][c], candidate.at);
      }
      for (size_t c = 0; c < out.group_values.size(); ++c) {
        out.group_values[c].AppendRow(groups_of[candidate.part][c], candidate.at);
      }
    }
    out.counts.push_back(static_cast<uint32_t>(candidates.size()));
  }
  return out;
}

}  // namespace

PartialHits ReduceHits(std::span<const PartialHits> parts, Metric metric, uint32_t nq, uint32_t k,
                       uint32_t group_size) {
  return Reduce(
      parts, {.metric = metric, .nq = nq, .k = k, .group_size = group_size, .repeats_keys = false});
}

PartialHits ReduceHits(std::span<const PartialHits> parts, const ShardSearch& search) {
  return Reduce(parts, {.metric = search.metric,
                        .nq = search.nq(),
                        .k = search.k,
                        .group_size = search.grouping.group_size,
                        .repeats_keys = search.repeats_keys()});
}

PartialHits PickHits(const PartialHits& hits, std::span<const std::vector<uint32_t>> picks,
                     std::vector<float> scores) {
  PartialHits out;
  out.read_at = hits.read_at;
  out.searched_rows = hits.searched_rows;
  out.scores = std::move(scores);
  const auto pick = [&](const Column& from) {
    Column to = EmptyLike(from);
    const ColumnView view = from.view();
    for (const std::vector<uint32_t>& places : picks) {
      for (uint32_t place : places) to.AppendRow(view, place);
    }
    return to;
  };
  for (const std::vector<uint32_t>& places : picks) {
    out.counts.push_back(static_cast<uint32_t>(places.size()));
  }
  out.primary_keys = pick(hits.primary_keys);
  for (const Column& column : hits.columns) out.columns.push_back(pick(column));
  for (const Column& column : hits.group_values) out.group_values.push_back(pick(column));
  return out;
}

Result<PartialRows> ReduceRows(std::span<const PartialRows> parts, const ShardQuery& query) {
  PartialRows out;
  for (const PartialRows& part : parts) {
    out.count += part.count;
    out.read_at = std::max(out.read_at, part.read_at);
  }
  if (parts.empty()) return out;
  if (query.aggregates_rows()) {
    Aggregator sums = MakeAggregator(parts[0], query);
    for (const PartialRows& part : parts) TRY(sums.Merge(part.columns));
    out.columns = sums.Partial();
    return out;
  }
  out.primary_keys = EmptyLike(parts[0].primary_keys);
  for (const Column& column : parts[0].columns) out.columns.push_back(EmptyLike(column));
  if (query.count_only) return out;
  struct Place {
    uint32_t part;
    size_t at;
  };
  std::vector<ColumnView> keys;
  std::vector<std::vector<ColumnView>> columns;
  std::vector<Place> places;
  for (uint32_t p = 0; p < parts.size(); ++p) {
    keys.push_back(parts[p].primary_keys.view());
    columns.push_back(ViewsOf(parts[p].columns));
    for (size_t i = 0; i < keys[p].rows; ++i) places.push_back({p, i});
  }
  const auto by_key = [&](const Place& a, const Place& b) {
    return CompareKeys(keys[a.part], a.at, keys[b.part], b.at);
  };
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    const int order = by_key(a, b);
    if (order != 0) return order < 0;
    return parts[a.part].row_timestamps[a.at] > parts[b.part].row_timestamps[b.at];
  });
  // Older versions of a key go.
  places.erase(std::unique(places.begin(), places.end(),
                           [&](const Place& a, const Place& b) { return by_key(a, b) == 0; }),
               places.end());
  for (size_t f = query.order_by.size(); f-- > 0;) {
    const size_t c =
        static_cast<size_t>(std::find(query.read.output_fields.begin(),
                                      query.read.output_fields.end(), query.order_by[f].field) -
                            query.read.output_fields.begin());
    std::stable_sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
      return CompareInOrder(query.order_by[f], columns[a.part][c], a.at, columns[b.part][c], b.at) <
             0;
    });
  }
  if (query.limit >= 0 && places.size() > static_cast<size_t>(query.limit)) {
    places.resize(static_cast<size_t>(query.limit));
  }
  for (const Place& place : places) {
    out.primary_keys.AppendRow(keys[place.part], place.at);
    out.row_timestamps.push_back(parts[place.part].row_timestamps[place.at]);
    for (size_t c = 0; c < out.columns.size(); ++c) {
      out.columns[c].AppendRow(columns[place.part][c], place.at);
    }
  }
  return out;
}

}  // namespace elanus::model
