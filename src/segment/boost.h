// Scores of hits changed by the filters they pass.
#pragma once

#include "model/requests/shard.h"
#include "segment/search.h"

namespace elanus::segment {

/// Changes the scores of the hits that pass filters of `search.boosting` and sorts each query's
/// hits anew. `slots` (rows) and `scores` are those of whole queries. Errors: those of the filters.
Status BoostHits(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                 std::span<uint32_t> slots, std::span<float> scores);

}  // namespace elanus::segment
