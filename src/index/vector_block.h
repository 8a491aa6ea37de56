// A borrowed matrix of vectors, dense, binary or sparse: what segments hand to indexes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "model/column.h"
#include "model/data_type.h"

namespace elanus::index {

/// What the elements of vectors are. The numbers stand in index files.
enum class ElementType : uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kBFloat16 = 2,
  kInt8 = 3,
  kBit = 4,
  kSparse = 5,
};

/// The element of a field's vectors; nothing for types that are no vectors.
constexpr std::optional<ElementType> ElementOf(model::DataType type) {
  switch (type) {
    case model::DataType::kFloatVector:
      return ElementType::kFloat32;
    case model::DataType::kFloat16Vector:
      return ElementType::kFloat16;
    case model::DataType::kBFloat16Vector:
      return ElementType::kBFloat16;
    case model::DataType::kInt8Vector:
      return ElementType::kInt8;
    case model::DataType::kBinaryVector:
      return ElementType::kBit;
    case model::DataType::kSparseFloatVector:
      return ElementType::kSparse;
    default:
      return std::nullopt;
  }
}

/// The families of vectors; an index type belongs to one.
enum class VectorKind : uint8_t { kDense, kBinary, kSparse };

constexpr VectorKind KindOf(ElementType element) {
  if (element == ElementType::kBit) return VectorKind::kBinary;
  return element == ElementType::kSparse ? VectorKind::kSparse : VectorKind::kDense;
}

/// Dense rows and rows of bits lie one after the other, `dim` elements each (kBit: dim / 8 bytes).
/// Sparse row i is data + bounds[i] .. data + bounds[i + 1], see SparseBlock. No alignment beyond
/// that of an element is asked for.
struct VectorBlock {
  const void* data = nullptr;
  size_t rows = 0;
  uint32_t dim = 0;  // 0 for sparse rows.
  ElementType element = ElementType::kFloat32;
  const uint64_t* bounds = nullptr;  // Sparse only: rows + 1 of them; bounds[0] may be above 0.

  /// Of float32 rows.
  const float* row(size_t i) const { return static_cast<const float*>(data) + i * dim; }
  /// Rows [begin, begin + count).
  VectorBlock Slice(size_t begin, size_t count) const {
    VectorBlock part = *this;
    part.rows = count;
    if (bounds != nullptr) {
      part.bounds += begin;
    } else {
      part.data = static_cast<const uint8_t*>(data) + begin * row_bytes();
    }
    return part;
  }
  /// Bytes of a row; 0 for sparse rows.
  size_t row_bytes() const {
    switch (element) {
      case ElementType::kFloat32:
        return size_t{dim} * 4;
      case ElementType::kFloat16:
      case ElementType::kBFloat16:
        return size_t{dim} * 2;
      case ElementType::kInt8:
        return dim;
      case ElementType::kBit:
        return dim / 8;
      case ElementType::kSparse:
        return 0;
    }
    return 0;
  }
};

/// A vector column's rows, in place.
inline VectorBlock BlockOf(const model::ColumnView& column) {
  const auto element = ElementOf(column.type);
  CHECK(element.has_value());
  return {.data = column.data,
          .rows = column.rows,
          .dim = column.dim,
          .element = *element,
          .bounds = column.offsets};
}

}  // namespace elanus::index
