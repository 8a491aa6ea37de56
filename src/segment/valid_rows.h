// Rows that hold a value: those with a null vector are never found.
#pragma once

#include "segment/search.h"

namespace elanus::segment {

/// The rows of a field that are not null, by a look at every row. Null bits: all of them.
Visible CollectValid(const SegmentView& segment, FieldId field);

/// Takes the other rows out of `allowed`, which allows some.
void KeepOnly(Allowed& allowed, const Visible& valid);

}  // namespace elanus::segment
