// Search that groups its hits by the value of a field: over a stream, for as long as it takes.
#pragma once

#include <span>
#include <vector>

#include "model/requests/shard.h"
#include "segment/search.h"

namespace elanus::segment {

/// Empty columns for the values of the grouping's keys.
std::vector<model::Column> MakeGroupColumns(const model::Grouping& grouping);

/// Appends the values of the keys for the rows. Errors: kFieldNotFound.
Status AppendGroupValues(Context& ctx, const SegmentView& segment, const model::Grouping& grouping,
                         std::span<const uint32_t> rows, std::vector<model::Column>& columns);

/// Answers queries [begin, begin + count) into their slots of `hits`: the best `search.k` groups,
/// up to group_size hits of each, the best hit first. With `only` those groups, and all their hits
/// up to the size; else a query ends when it has enough groups, however full they are. Errors: as
/// SearchQueries.
Status SearchGroups(Context& ctx, const SegmentView& segment, const Allowed& allowed,
                    const model::ShardSearch& search, size_t begin, size_t count,
                    SegmentHits& hits);

}  // namespace elanus::segment
