// Rows as signed bytes, to build a graph by.
#pragma once

#include <cstdint>
#include <vector>

#include "base/context.h"
#include "index/vector_index.h"

namespace elanus::index {

/// Float32 rows as int8 rows of the same metric (L2 or IP), of which a builder makes nearly the
/// same graph in half the time: a quarter of the bytes is read. One scale for all dimensions, so
/// that two rows are compared by integers alone. Empty when a sample shows that the bytes' nearest
/// rows are not the rows' own (index/codes/keeps_order.h). Cancellable.
Result<std::vector<int8_t>> BytesToBuildOn(Context& ctx, VectorBlock rows, bool is_l2);

}  // namespace elanus::index
