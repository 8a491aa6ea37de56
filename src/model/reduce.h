// Merging partial answers: segments to shard, shards to the client's answer.
#pragma once

#include <span>

#include "model/requests/shard.h"

namespace elanus::model {

/// The best `k` hits of each of `nq` queries over all parts: better score first, ties to the
/// smaller key, the first of equal keys stays. Parts hold nq counts and the same columns. read_at
/// is the latest.
PartialHits ReduceHits(std::span<const PartialHits> parts, Metric metric, uint32_t nq, uint32_t k);

/// Rows of all parts ascending by key, of equal keys the one with the largest row timestamp; at
/// most `limit`
/// (-1: all). With `count_only` the sum of the counts.
PartialRows ReduceRows(std::span<const PartialRows> parts, int64_t limit, bool count_only);

/// -1, 0, 1 as row `i` of key column `a` orders before, with, after row `j` of `b`. Int64 or
/// VarChar.
int CompareKeys(const ColumnView& a, size_t i, const ColumnView& b, size_t j);

}  // namespace elanus::model
