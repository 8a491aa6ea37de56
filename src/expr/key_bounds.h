// What a filter says of the primary key's order, apart from the rest that it asks: a page of rows
// in key order begins and ends there without a look at the others.
#pragma once

#include <optional>

#include "expr/expr.h"

namespace elanus::expr {

/// One end of a range of keys.
struct KeyBound {
  model::Scalar key;
  bool is_inside = true;  // The key itself lies in the range.
};

/// A row passes the filter when its key lies between the bounds and it passes the rest.
struct KeyBounds {
  std::optional<KeyBound> least;     // Nothing: from the first key on.
  std::optional<KeyBound> greatest;  // Nothing: to the last one.
  Plan rest{nullptr};
};

/// Takes the conjuncts that compare the primary key with a constant out of the filter. All other
/// conditions, on the key too, are the rest.
KeyBounds SplitKeyBounds(const Plan& plan);

}  // namespace elanus::expr
