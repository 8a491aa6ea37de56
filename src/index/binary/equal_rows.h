// Which rows of bits are equal. Fingerprints and short binary embeddings repeat a lot, and in a
// graph equal nodes would link to one another alone.
#pragma once

#include <vector>

#include "index/binary/binary_block.h"
#include "index/vector_index.h"

namespace elanus::index {

/// Groups of equal rows, in the order of their first ones.
struct EqualRows {
  std::vector<uint32_t> first;       // The smallest row of each group.
  std::vector<uint32_t> twin_start;  // Groups + 1: where the others of a group begin in `twins`.
  std::vector<uint32_t> twins;       // Ascending within a group.
};

/// Cancellable.
Result<EqualRows> GroupEqualRows(Context& ctx, BinaryBlock rows, Pool* pool);

}  // namespace elanus::index
