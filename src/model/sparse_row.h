// One row of a sparse vector: how it lies in a column, the pairs it travels as, and its rules.
//
// A row of n non-zeros is n dimensions (u32), strictly ascending, then their n values (float32):
// 8 n bytes, read in place where the row begins at a multiple of 4. Data of a column begins
// aligned and rows are multiples of 8 long, so every row does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::model {

/// The largest dimension a sparse vector may have a value in.
inline constexpr uint32_t kSparseDimMax = UINT32_MAX - 1;

/// Replaces `row` by the row of `pairs`: n times a dimension (u32) and its value (float32), 8 n
/// bytes. Nothing but the order of bytes changes; CheckSparseRow judges what they say.
void PairsToSparseRow(std::string_view pairs, std::string& row);

/// The reverse.
std::string SparseRowToPairs(std::string_view row);

/// One more than the largest dimension of a row; 0 for an empty one.
uint32_t SparseDim(std::string_view row);

/// Dimensions ascend strictly and are no larger than kSparseDimMax; values are finite and not
/// negative. kInvalidParameter otherwise.
Status CheckSparseRow(std::string_view row);

}  // namespace elanus::model
