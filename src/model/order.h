// The order of rows by the values of fields.
#pragma once

#include "model/column.h"
#include "model/requests/shard.h"

namespace elanus::model {

/// -1, 0, 1 as value `i` of column `a` orders before, with, after value `j` of `b`, a column of the
/// same type: Bool, integers, floating numbers (NaN last), VarChar bytewise, Timestamptz. Both are
/// valid.
int CompareValues(const ColumnView& a, size_t i, const ColumnView& b, size_t j);

/// As CompareValues in the direction of `field`, nulls where it wants them.
int CompareInOrder(const OrderField& field, const ColumnView& a, size_t i, const ColumnView& b,
                   size_t j);

/// True for types that CompareValues knows.
bool IsOrdered(DataType type);

}  // namespace elanus::model
