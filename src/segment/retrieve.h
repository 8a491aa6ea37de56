// Query inside segments: the rows that pass a filter, in key order.
#pragma once

#include <memory>
#include <span>

#include "expr/expr.h"
#include "model/requests/shard.h"
#include "segment/search_tasks.h"
#include "segment/segment.h"

namespace elanus::segment {

/// Rows of all segments that are visible at `read_at` and pass `plan`: in the order of the query,
/// the newest version of each key, at most `query.limit`. Under an element_filter the last column,
/// kElementField, has the places of the elements that it keeps, Array of Int64. With count_only the
/// number of rows, with aggregates the groups (Aggregator::Partial); both look at each version of a
/// key. Segments are read by `threads`, but for a page in key order: there what one segment has
/// tells how far the next is read.
Result<model::PartialRows> Retrieve(Context& ctx, const SearchThreads& threads,
                                    std::span<const std::shared_ptr<const SegmentView>> segments,
                                    const expr::Plan& plan, const model::ShardQuery& query,
                                    const model::CollectionSchema& schema, Timestamp read_at);

}  // namespace elanus::segment
