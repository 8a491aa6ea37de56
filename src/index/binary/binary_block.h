// Rows of bits as the binary engines read them.
#pragma once

#include <cstdint>

#include "index/vector_block.h"

namespace elanus::index {

/// A borrowed matrix of bits: rows x dim / 8 bytes, row-major, any alignment.
struct BinaryBlock {
  const uint8_t* data = nullptr;
  size_t rows = 0;
  uint32_t dim = 0;  // In bits; a multiple of 8.

  BinaryBlock() = default;
  BinaryBlock(const uint8_t* bits, size_t row_count, uint32_t bits_a_row)
      : data(bits), rows(row_count), dim(bits_a_row) {}
  // NOLINTNEXTLINE(google-explicit-constructor): the same rows under their family's name.
  BinaryBlock(const VectorBlock& block)
      : data(static_cast<const uint8_t*>(block.data)), rows(block.rows), dim(block.dim) {}

  size_t row_bytes() const { return dim / 8; }
  const uint8_t* row(size_t i) const { return data + i * row_bytes(); }
};

}  // namespace elanus::index
