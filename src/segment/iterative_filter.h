// A search whose filter is asked of the rows that the index gives, best first, instead of all rows
// beforehand: the hint "iterative_filter", for filters that cost much a row.
#pragma once

#include "segment/search.h"

namespace elanus::segment {

/// Whether the hint has an effect here: the search has it and a filter, the segment an index, and
/// neither groups, elements, a range, a page nor random_sample ask for the other way round. Errors:
/// those of opening the index.
Result<bool> FiltersLater(const SegmentView& segment, const expr::Plan& plan,
                          const model::ShardSearch& search);

/// As SearchQueries, of a search for which FiltersLater; `allowed` has the filter. A query looks at
/// rows until `search.k` of them pass, at all of them if fewer do.
Status SearchThenFilter(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                        const Allowed& allowed, size_t begin, size_t count, SegmentHits& hits);

}  // namespace elanus::segment
