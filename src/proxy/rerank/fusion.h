// Hits of several searches of the same queries as one list.
#pragma once

#include <span>
#include <vector>

#include "model/requests/shard.h"
#include "proxy/rerank/ranker.h"

namespace elanus::proxy {

/// The hits of one search; none of a key, or of an element of it, twice in a query.
struct Path {
  const model::PartialHits* hits = nullptr;
  model::Metric metric = model::Metric::kL2;
};

/// One hit a key, in no order yet. `hits` has no columns but that of the elements, if hits are
/// elements; group values are those of the first path that has the key.
struct FusedHits {
  model::PartialHits hits;
  bool larger_is_better = true;
};

/// A score as a number where larger is better, in [0, 1] for metrics that are not bounded
/// otherwise; `norm`: always in [0, 1].
double ComparableScore(model::Metric metric, double score, bool norm);

/// Scores each key by the ranker, which is one of kRrf, kWeighted and kDecay (of that what the
/// paths say; factors come later). Equal queries in all paths, at least one path. `by_element`: all
/// paths have elements of one list, and a hit is a key and an element.
FusedHits Fuse(const Ranker& ranker, std::span<const Path> paths, bool by_element = false);

/// The column with that id, or null.
const model::Column* ColumnOf(const model::PartialHits& hits, FieldId field);

/// Multiplies each score by its factor: `values` is the decay's field, aligned with the hits; null
/// makes it 0.
void ApplyDecay(const Decay& decay, const model::ColumnView& values, std::vector<float>& scores);

/// How hits that are grouped come in order.
struct GroupOrder {
  size_t groups_max = 0;
  size_t group_size = 1;
  ScoreMode scorer = ScoreMode::kMax;  // The score of a group, from its hits that are kept.
};

/// The order of the hits of each query: the best first, ties to the smaller key, the best `k`. With
/// `groups` (then the hits have group values) the best groups, group by group. Places count over
/// all queries.
std::vector<std::vector<uint32_t>> SortHits(const FusedHits& fused, size_t k,
                                            const GroupOrder* groups);

/// floor(x * 10^n + 0.5) / 10^n of each, when decimals >= 0.
void RoundScores(int64_t decimals, std::vector<float>& scores);

}  // namespace elanus::proxy
