// Second lists for rows (SOAR: Sun, Simcha, Dopson, Guo, Kumar 2023, "SOAR: improved indexing for
// approximate nearest neighbor search").
#pragma once

#include <vector>

#include "index/ivf/file.h"

namespace elanus::index {

/// For each row a list beside its nearest one: of the near lists the one that loses least when what
/// is left over along the first leftover counts twice, so that a query that overlooks a row in its
/// first list, since it lies along that leftover, finds it in the second. At least two lists.
/// Cancellable.
Result<std::vector<uint32_t>> SecondLists(Context& ctx, const FloatRows& rows, const Lists& lists,
                                          Pool* pool);

/// Whether searches that find most of the nearest rows read fewer codes with lists.second than
/// without: measured with some rows as queries, beside their exact nearest rows. Cancellable.
Result<bool> SecondListsPay(Context& ctx, const FloatRows& rows, const Lists& lists, bool is_l2,
                            Pool* pool);

}  // namespace elanus::index
