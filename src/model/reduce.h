// Merging partial answers: segments to shard, shards to the client's answer.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "model/requests/shard.h"

namespace elanus::model {

/// The best `k` hits of each of `nq` queries over all parts: better score first, ties to the
/// smaller key, the first of equal keys stays. Parts hold nq counts and the same columns. read_at
/// is the latest, the rows searched are added up. Parts with group values: the best k groups,
/// `group_size` hits of each at most.
PartialHits ReduceHits(std::span<const PartialHits> parts, Metric metric, uint32_t nq, uint32_t k,
                       uint32_t group_size = 1);
/// As above for the parts of `search`. A search by element has a hit a key and element, unless it
/// folds the elements of a row.
PartialHits ReduceHits(std::span<const PartialHits> parts, const ShardSearch& search);

/// The hits in another order or fewer: `picks` gives for each query the places of its hits, and
/// `scores` their scores, aligned with all picks.
PartialHits PickHits(const PartialHits& hits, std::span<const std::vector<uint32_t>> picks,
                     std::vector<float> scores);

/// Rows of all parts in the order of the query, of equal keys the one with the largest row
/// timestamp; at most its limit. With count_only the sum of the counts, with aggregates the groups
/// of all parts. Errors: those of Aggregator.
Result<PartialRows> ReduceRows(std::span<const PartialRows> parts, const ShardQuery& query);

/// -1, 0, 1 as row `i` of key column `a` orders before, with, after row `j` of `b`. Int64 or
/// VarChar.
int CompareKeys(const ColumnView& a, size_t i, const ColumnView& b, size_t j);

/// An empty column like `column`.
Column EmptyLike(const Column& column);

}  // namespace elanus::model
