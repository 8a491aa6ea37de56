// Hits of a segment scored anew by the chain of a search.
#pragma once

#include "segment/search.h"

namespace elanus::segment {

/// Runs `search.chain` over the hits of each of the queries [begin, begin + count) and sorts those
/// that are left by their new scores. Errors: those of ScoreChain and
/// trees::PredictorOf, kFieldNotFound.
Status ChainHits(Context& ctx, const SegmentView& segment, const model::ShardSearch& search,
                 size_t begin, size_t count, SegmentHits& hits);

}  // namespace elanus::segment
