// Merging partial answers.
#include "model/reduce.h"

#include <algorithm>

namespace elanus::model {
namespace {

// An empty column like `column`.
Column Like(const Column& column) {
  Column like =
      MakeColumn(column.field_id, column.name, column.type, column.element_type, column.dim);
  like.is_dynamic = column.is_dynamic;
  return like;
}

struct Candidate {
  float score;
  uint32_t part;
  size_t at;
};

}  // namespace

int CompareKeys(const ColumnView& a, size_t i, const ColumnView& b, size_t j) {
  if (a.type == DataType::kInt64) {
    const int64_t x = a.Get<int64_t>(i);
    const int64_t y = b.Get<int64_t>(j);
    return x < y ? -1 : x > y;
  }
  const int order = a.Bytes(i).compare(b.Bytes(j));
  return order < 0 ? -1 : order > 0;
}

PartialHits ReduceHits(std::span<const PartialHits> parts, Metric metric, uint32_t nq, uint32_t k) {
  PartialHits out;
  if (parts.empty()) {
    out.counts.assign(nq, 0);
    return out;
  }
  const bool larger_is_better = LargerIsBetter(metric);
  out.primary_keys = Like(parts[0].primary_keys);
  for (const Column& column : parts[0].columns) out.columns.push_back(Like(column));
  std::vector<ColumnView> keys;
  for (const PartialHits& part : parts) {
    keys.push_back(part.primary_keys.view());
    out.read_at = std::max(out.read_at, part.read_at);
  }
  std::vector<size_t> at(parts.size(), 0);
  std::vector<Candidate> candidates;
  std::vector<Candidate> taken;
  for (uint32_t q = 0; q < nq; ++q) {
    candidates.clear();
    taken.clear();
    for (uint32_t p = 0; p < parts.size(); ++p) {
      for (uint32_t i = 0; i < parts[p].counts[q]; ++i, ++at[p]) {
        candidates.push_back({parts[p].scores[at[p]], p, at[p]});
      }
    }
    std::sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
      if (a.score != b.score) return larger_is_better ? a.score > b.score : a.score < b.score;
      return CompareKeys(keys[a.part], a.at, keys[b.part], b.at) < 0;
    });
    for (const Candidate& candidate : candidates) {
      if (taken.size() == k) break;
      // Keys repeat only across parts and rarely; a scan of at most k is cheaper than a table.
      const bool repeated = std::any_of(taken.begin(), taken.end(), [&](const Candidate& other) {
        return other.part != candidate.part &&
               CompareKeys(keys[other.part], other.at, keys[candidate.part], candidate.at) == 0;
      });
      if (repeated) continue;
      taken.push_back(candidate);
      out.scores.push_back(candidate.score);
      out.primary_keys.AppendRow(keys[candidate.part], candidate.at);
      for (size_t c = 0; c < out.columns.size(); ++c) {
        out.columns[c].AppendRow(parts[candidate.part].columns[c].view(), candidate.at);
      }
    }
    out.counts.push_back(static_cast<uint32_t>(taken.size()));
  }
  return out;
}

PartialRows ReduceRows(std::span<const PartialRows> parts, int64_t limit, bool count_only) {
  PartialRows out;
  for (const PartialRows& part : parts) {
    out.count += part.count;
    out.read_at = std::max(out.read_at, part.read_at);
  }
  if (parts.empty()) return out;
  out.primary_keys = Like(parts[0].primary_keys);
  for (const Column& column : parts[0].columns) out.columns.push_back(Like(column));
  if (count_only) return out;
  std::vector<ColumnView> keys;
  for (const PartialRows& part : parts) keys.push_back(part.primary_keys.view());
  std::vector<size_t> at(parts.size(), 0);
  while (limit < 0 || static_cast<int64_t>(out.primary_keys.rows) < limit) {
    int best = -1;
    for (size_t p = 0; p < parts.size(); ++p) {
      if (at[p] == keys[p].rows) continue;
      if (best < 0) {
        best = static_cast<int>(p);
        continue;
      }
      const size_t b = static_cast<size_t>(best);
      const int order = CompareKeys(keys[p], at[p], keys[b], at[b]);
      if (order < 0 ||
          (order == 0 && parts[p].row_timestamps[at[p]] > parts[b].row_timestamps[at[b]])) {
        best = static_cast<int>(p);
      }
    }
    if (best < 0) break;
    const size_t b = static_cast<size_t>(best);
    const size_t row = at[b];
    out.primary_keys.AppendRow(keys[b], row);
    out.row_timestamps.push_back(parts[b].row_timestamps[row]);
    for (size_t c = 0; c < out.columns.size(); ++c) {
      out.columns[c].AppendRow(parts[b].columns[c].view(), row);
    }
    // Older versions of the key go.
    for (size_t p = 0; p < parts.size(); ++p) {
      if (p == b) continue;
      while (at[p] < keys[p].rows && CompareKeys(keys[p], at[p], keys[b], row) == 0) ++at[p];
    }
    ++at[b];
  }
  return out;
}

}  // namespace elanus::model
