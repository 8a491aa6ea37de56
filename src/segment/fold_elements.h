// Search for single vectors of lists whose hits are rows again: the elements of a row become one
// score.
#pragma once

#include "segment/search.h"

namespace elanus::segment {

/// As SearchQueries, for a search by element with `fold`: the best search.k rows by what comes of
/// their allowed elements in the range, each with its best element. Without an index exactly; with
/// one as good as its stream, and sums among the rows of the best elements. Sums are for metrics
/// under which more is better. Errors: as SearchQueries.
Status FoldElements(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                    const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits);

}  // namespace elanus::segment
