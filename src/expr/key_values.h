// What a filter tells of the values of one field: which partitions and index parts it can reach.
#pragma once

#include <optional>
#include <vector>

#include "expr/expr.h"

namespace elanus::expr {

/// Every row that passes has one of these values in `field`; sorted, unique. Told by == and in, by
/// AND (both sides bind) and by OR where both sides bind; nothing: any value may pass.
std::optional<std::vector<model::Scalar>> PossibleValues(const Plan& plan, FieldId field);

/// The value when the filter is `field == value`, or a conjunction that has it as one part and the
/// field in no other.
std::optional<model::Scalar> RequiredValue(const Plan& plan, FieldId field);

}  // namespace elanus::expr
