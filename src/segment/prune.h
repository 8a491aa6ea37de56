// Tells from what is known of a segment's values that a filter lets none of its rows pass.
#pragma once

#include "base/context.h"
#include "expr/expr.h"
#include "segment/segment.h"

namespace elanus::segment {

/// True: no row passes. False: some may. Opens nothing.
bool CannotMatch(Context& ctx, const SegmentView& segment, const expr::Plan& plan);

}  // namespace elanus::segment
