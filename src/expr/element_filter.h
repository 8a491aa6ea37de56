// element_filter: a filter's last term, which keeps elements of a struct array and not only rows.
#pragma once

#include <optional>

#include "expr/expr.h"

namespace elanus::expr {

/// A sub-field of the struct whose elements the plan's element_filter keeps; nothing without one.
std::optional<FieldId> ElementFilterField(const Plan& plan);

/// Sets in `elements` those of rows [begin, begin + count) that the plan's element_filter keeps:
/// the elements of all these rows one after the other. `count` is as in ColumnSource::Read. Errors:
/// as Evaluate.
Status EvaluateElementFilter(Context& ctx, const Plan& plan, const ColumnSource& source,
                             size_t begin, size_t count, Bitset& elements);

}  // namespace elanus::expr
