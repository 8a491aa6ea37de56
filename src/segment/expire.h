// Rows past their time to live are hidden from reads, from the moment on that they are.
#pragma once

#include "segment/segment.h"

namespace elanus::segment {

/// `visible` without the rows of the segment inserted before `expired_before`. Relies on rows that
/// ascend by insert timestamp, as every segment's do; costs a look at log2(rows) of them, and a
/// copy of the bits when some have expired.
Visible HideExpired(const SegmentView& segment, Visible visible, Timestamp expired_before);

}  // namespace elanus::segment
