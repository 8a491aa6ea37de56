// A leaf of a bound filter as text for people, as reports show it.
#pragma once

#include <string>

#include "expr/expr.h"
#include "expr/node.h"

namespace elanus::expr {

/// The leaf after binding: constants are folded, placeholders filled, long lists and texts cut.
/// Names of fields come from `source`, which gives an empty one for those it does not know.
std::string Describe(const Node& leaf, const ColumnSource& source);

}  // namespace elanus::expr
