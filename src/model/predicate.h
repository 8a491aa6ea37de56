// A leaf of a filter as plain data: what a scalar index is asked, and what a scan evaluates.
#pragma once

#include <vector>

#include "base/ids.h"
#include "model/data_type.h"
#include "model/scalar.h"

namespace elanus::model {

enum class Compare { kEq, kNe, kLt, kLe, kGt, kGe };

/// One condition on one scalar column (not JSON, not Array). Values are already cast to the
/// column's type: int64_t for integers, double for floating, string for VarChar, bool for Bool.
struct Predicate {
  enum class Kind { kCompare, kIn, kRange, kPrefix, kIsNull };
  Kind kind = Kind::kCompare;
  FieldId field;
  DataType type = DataType::kNone;
  Compare op = Compare::kEq;   // kCompare.
  std::vector<Scalar> values;  // kCompare, kPrefix: one. kIn: sorted, unique. kRange: lower, upper.
  bool lower_inclusive = false;  // kRange.
  bool upper_inclusive = false;
};

}  // namespace elanus::model
