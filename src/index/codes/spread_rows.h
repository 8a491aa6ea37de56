// A sample of rows from all parts of a segment.
#pragma once

#include "index/codes/dense_rows.h"

namespace elanus::index {

/// Copies of at most `most` rows, spread evenly over all.
FloatSample SpreadRows(const FloatRows& rows, size_t most);

}  // namespace elanus::index
