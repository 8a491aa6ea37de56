// Sparse rows as the sparse engine reads them, and their rules.
#pragma once

#include <cstdint>
#include <span>

#include "base/extent.h"
#include "base/status.h"
#include "index/vector_block.h"
#include "model/sparse_row.h"

namespace elanus::index {

/// Borrowed sparse vectors. Vector i takes data + bounds[i] .. data + bounds[i + 1): first its n
/// dimensions, strictly ascending, then its n values: 8 n bytes, 4-byte aligned. bounds[0] need not
/// be 0.
struct SparseBlock {
  const uint64_t* bounds = nullptr;  // rows + 1, in bytes.
  const uint8_t* data = nullptr;
  size_t rows = 0;

  SparseBlock() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): the same rows under their family's name.
  SparseBlock(const VectorBlock& block)
      : bounds(block.bounds), data(static_cast<const uint8_t*>(block.data)), rows(block.rows) {}

  uint64_t non_zeros() const { return rows == 0 ? 0 : ExtentOf(bounds, bounds + rows).bytes / 8; }
  std::span<const uint32_t> dims_of(size_t i) const {
    const Extent row = ExtentOf(bounds + i, bounds + i + 1);
    return {reinterpret_cast<const uint32_t*>(data + row.begin), row.bytes / 8};
  }
  std::span<const float> values_of(size_t i) const {
    const Extent row = ExtentOf(bounds + i, bounds + i + 1);
    return {reinterpret_cast<const float*>(data + row.begin) + row.bytes / 8, row.bytes / 8};
  }
};

using model::kSparseDimMax;

/// Bounds ascend, and each row keeps the rules of model::CheckSparseRow. Errors: kInvalidParameter,
/// naming the vector.
Status CheckSparse(const SparseBlock& block);

}  // namespace elanus::index
