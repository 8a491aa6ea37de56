// Scores of hits changed by the filters they pass.
#pragma once

#include <string>
#include <vector>

#include "model/requests/shard.h"
#include "segment/search.h"

namespace elanus::segment {

/// Changes the scores of the hits of queries [begin, begin + count) that pass filters of
/// `search.boosting` and sorts each query's hits anew. Errors: those of the filters.
Status BoostHits(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                 size_t begin, size_t count, SegmentHits& hits);

/// Of each boost the factor of each of the rows, NaN where its filter leaves the row out. Errors:
/// those of the filters.
Result<std::vector<std::vector<double>>> BoostFactors(Context& ctx, const SegmentView& segment,
                                                      std::span<const model::Boost> boosts,
                                                      const std::string& timezone,
                                                      std::span<const uint32_t> rows);

/// Sorts the hits of queries [begin, begin + count) by their scores, the best first; equal ones by
/// row and element.
void SortHits(const model::ShardSearch& search, size_t begin, size_t count, SegmentHits& hits);

}  // namespace elanus::segment
