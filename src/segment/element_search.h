// Search for single vectors of rows that are lists of them.
#pragma once

#include "segment/search.h"

namespace elanus::segment {

/// As SearchQueries, for a search by element: the best search.k vectors of the allowed rows, each
/// as its row and its place in the row's list. Errors: as SearchQueries.
Status SearchElements(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                      const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits);

}  // namespace elanus::segment
