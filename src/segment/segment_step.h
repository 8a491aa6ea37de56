// What the step of a segment says of it in a request's profile.
#pragma once

#include "base/profile.h"
#include "segment/segment.h"

namespace elanus::segment {

inline void SaySegment(ProfileStep& step, const SegmentView& view) {
  if (!step.is_on()) return;
  step.Says("id", view.id().value());
  step.Says("state", view.IsGrowing() ? "growing" : "sealed");
  step.Says("partition", view.partition().value());
  step.Says("rows", view.rows());
}

}  // namespace elanus::segment
