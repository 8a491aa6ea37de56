// Fusing hits.
#include "proxy/rerank/fusion.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>
#include <unordered_map>

#include "model/groups.h"
#include "model/reduce.h"

namespace elanus::proxy {
namespace {

using model::Metric;

// What the paths say of one key.
struct Entry {
  size_t path;  // The first that has it, and where.
  size_t at;
  double score;
  uint32_t paths;
};

double Combine(const Ranker& ranker, double score, double next) {
  if (ranker.kind != Ranker::Kind::kDecay || ranker.score_mode != ScoreMode::kMax)
    return score + next;
  return std::max(score, next);
}

double FieldValue(const model::ColumnView& values, size_t i) {
  switch (values.type) {
    case model::DataType::kInt8:
      return values.Get<int8_t>(i);
    case model::DataType::kInt16:
      return values.Get<int16_t>(i);
    case model::DataType::kInt32:
      return values.Get<int32_t>(i);
    case model::DataType::kInt64:
      return static_cast<double>(values.Get<int64_t>(i));
    case model::DataType::kFloat:
      return values.Get<float>(i);
    default:
      return values.Get<double>(i);
  }
}

// Scores one hit of one path: what it adds to its key's score.
class PathScorer {
 public:
  PathScorer(const Ranker& ranker, std::span<const Path> paths) : ranker_(ranker), paths_(paths) {
    for (const Path& path : paths) {
      if (LargerIsBetter(path.metric)) all_smaller_are_better_ = false;
    }
  }
  bool larger_is_better() const { return !raw_distances(); }
  double Score(size_t path, size_t rank, double score) const {
    if (ranker_.kind == Ranker::Kind::kRrf) {
      return 1.0 / (ranker_.rrf_k + static_cast<double>(rank));
    }
    const double comparable =
        raw_distances() ? score : ComparableScore(paths_[path].metric, score, ranker_.norm_score);
    return ranker_.kind == Ranker::Kind::kWeighted ? ranker_.weights[path] * comparable
                                                   : comparable;
  }

 private:
  // Distances alone are weighted as they are.
  bool raw_distances() const {
    return ranker_.kind == Ranker::Kind::kWeighted && !ranker_.norm_score &&
           all_smaller_are_better_;
  }

  const Ranker& ranker_;
  const std::span<const Path> paths_;
  bool all_smaller_are_better_ = true;
};

float GroupScore(const FusedHits& fused, std::span<const uint32_t> members, ScoreMode scorer) {
  const double best = fused.hits.scores[members[0]];
  double sum = 0;
  for (uint32_t place : members) sum += fused.hits.scores[place];
  if (scorer == ScoreMode::kMax) return static_cast<float>(best);
  if (scorer == ScoreMode::kSum) return static_cast<float>(sum);
  return static_cast<float>(sum / static_cast<double>(members.size()));
}

std::vector<uint32_t> BestGroups(const FusedHits& fused, std::span<const uint32_t> sorted,
                                 std::span<const model::ColumnView> values,
                                 const GroupOrder& order) {
  // Every group is kept first: its score may come from its later hits.
  model::Groups groups(sorted.size(), order.group_size);
  for (uint32_t place : sorted) groups.Add(model::GroupText(values, place), place);
  std::vector<std::vector<uint32_t>> members = groups.members();
  std::stable_sort(members.begin(), members.end(), [&](const auto& a, const auto& b) {
    const float x = GroupScore(fused, a, order.scorer);
    const float y = GroupScore(fused, b, order.scorer);
    return fused.larger_is_better ? x > y : x < y;
  });
  if (members.size() > order.groups_max) members.resize(order.groups_max);
  std::vector<uint32_t> places;
  for (const auto& group : members) places.insert(places.end(), group.begin(), group.end());
  return places;
}

}  // namespace

double ComparableScore(Metric metric, double score, bool norm) {
  constexpr double kPi = std::numbers::pi;
  if (!LargerIsBetter(metric)) return 1 - 2 * std::atan(score) / kPi;
  if (!norm) return score;
  if (metric == Metric::kCosine) return (1 + score) / 2;
  if (metric == Metric::kBm25) return 2 * std::atan(score) / kPi;
  return 0.5 + std::atan(score) / kPi;
}

const model::Column* ColumnOf(const model::PartialHits& hits, FieldId field) {
  for (const model::Column& column : hits.columns) {
    if (column.field_id == field) return &column;
  }
  return nullptr;
}

FusedHits Fuse(const Ranker& ranker, std::span<const Path> paths, bool by_element) {
  const PathScorer scorer(ranker, paths);
  FusedHits fused;
  fused.larger_is_better = scorer.larger_is_better();
  fused.hits.primary_keys = model::EmptyLike(paths[0].hits->primary_keys);
  for (const model::Column& column : paths[0].hits->group_values) {
    fused.hits.group_values.push_back(model::EmptyLike(column));
  }
  std::vector<model::ColumnView> keys;
  std::vector<model::ColumnView> elements;
  std::vector<std::vector<model::ColumnView>> groups;
  for (const Path& path : paths) {
    if (by_element) elements.push_back(ColumnOf(*path.hits, model::kElementField)->view());
    keys.push_back(path.hits->primary_keys.view());
    groups.push_back(model::ViewsOf(path.hits->group_values));
  }
  if (by_element) {
    fused.hits.columns = {model::EmptyLike(*ColumnOf(*paths[0].hits, model::kElementField))};
  }
  std::vector<size_t> at(paths.size(), 0);
  std::unordered_map<std::string, size_t> places;
  std::vector<Entry> entries;
  for (size_t q = 0; q < paths[0].hits->counts.size(); ++q) {
    places.clear();
    entries.clear();
    for (size_t p = 0; p < paths.size(); ++p) {
      const uint32_t count = paths[p].hits->counts[q];
      for (uint32_t rank = 1; rank <= count; ++rank, ++at[p]) {
        const double score = scorer.Score(p, rank, paths[p].hits->scores[at[p]]);
        std::string key(by_element ? elements[p].Bytes(at[p]) : std::string_view());
        key += keys[p].Bytes(at[p]);
        const auto [found, is_new] = places.emplace(std::move(key), entries.size());
        if (is_new) {
          entries.push_back({p, at[p], score, 1});
        } else {
          Entry& entry = entries[found->second];
          entry.score = Combine(ranker, entry.score, score);
          ++entry.paths;
        }
      }
    }
    for (const Entry& entry : entries) {
      const bool averages =
          ranker.kind == Ranker::Kind::kDecay && ranker.score_mode == ScoreMode::kAvg;
      fused.hits.scores.push_back(
          static_cast<float>(averages ? entry.score / entry.paths : entry.score));
      fused.hits.primary_keys.AppendRow(keys[entry.path], entry.at);
      if (by_element) fused.hits.columns[0].AppendRow(elements[entry.path], entry.at);
      for (size_t c = 0; c < fused.hits.group_values.size(); ++c) {
        fused.hits.group_values[c].AppendRow(groups[entry.path][c], entry.at);
      }
    }
    fused.hits.counts.push_back(static_cast<uint32_t>(entries.size()));
  }
  return fused;
}

void ApplyDecay(const Decay& decay, const model::ColumnView& values, std::vector<float>& scores) {
  for (size_t i = 0; i < scores.size(); ++i) {
    const double factor = values.IsValid(i) ? decay.curve.FactorAt(FieldValue(values, i)) : 0;
    scores[i] = static_cast<float>(scores[i] * factor);
  }
}

std::vector<std::vector<uint32_t>> SortHits(const FusedHits& fused, size_t k,
                                            const GroupOrder* groups) {
  const model::ColumnView keys = fused.hits.primary_keys.view();
  const std::vector<model::ColumnView> values = model::ViewsOf(fused.hits.group_values);
  const std::vector<float>& scores = fused.hits.scores;
  std::vector<std::vector<uint32_t>> orders;
  uint32_t begin = 0;
  for (uint32_t count : fused.hits.counts) {
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < count; ++i) order.push_back(begin + i);
    begin += count;
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      if (scores[a] != scores[b])
        return fused.larger_is_better ? scores[a] > scores[b] : scores[a] < scores[b];
      return model::CompareKeys(keys, a, keys, b) < 0;
    });
    if (groups != nullptr) {
      order = BestGroups(fused, order, values, *groups);
    } else if (order.size() > k) {
      order.resize(k);
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

void RoundScores(int64_t decimals, std::vector<float>& scores) {
  if (decimals < 0) return;
  const double scale = std::pow(10.0, static_cast<double>(decimals));
  for (float& score : scores) {
    score = static_cast<float>(std::floor(score * scale + 0.5) / scale);
  }
}

}  // namespace elanus::proxy
