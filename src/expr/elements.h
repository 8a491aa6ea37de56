// Conditions over the elements of struct arrays: the elements of a batch of rows become rows of
// their own.
#pragma once

#include "base/context.h"
#include "expr/batch.h"
#include "expr/expr.h"

namespace elanus::expr {

/// Sets the rows [begin, begin + count) of `source` that pass a kElements node; null rows have no
/// elements. Errors: as Evaluate.
Status TestElements(Context& ctx, const Node& node, const ColumnSource& source, size_t begin,
                    size_t count, Words& yes);

}  // namespace elanus::expr
