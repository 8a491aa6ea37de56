// A borrowed matrix of vectors, dense, binary or sparse: what segments hand to indexes.
#pragma once

#include <algorithm>
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

/// The element of vectors of a type; nothing for types that are no vectors.
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
/// Sparse row i is data + bounds[i] .. data + bounds[i + 1], see SparseBlock; so is a row that is a
/// list of vectors, of any number of them. No alignment beyond that of an element is asked for.
struct VectorBlock {
  const void* data = nullptr;
  size_t rows = 0;
  uint32_t dim = 0;  // 0 for sparse rows.
  ElementType element = ElementType::kFloat32;
  // Of sparse rows and lists: rows + 1 of them, in bytes; bounds[0] may be above 0.
  const uint64_t* bounds = nullptr;

  /// Of float32 rows.
  const float* row(size_t i) const {
    DCHECK(element == ElementType::kFloat32);
    return static_cast<const float*>(data) + i * dim;
  }
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
  bool is_lists() const { return bounds != nullptr && element != ElementType::kSparse; }
  /// Of lists: all their vectors, one after the other.
  VectorBlock Flat() const {
    VectorBlock flat = *this;
    flat.bounds = nullptr;
    flat.data = static_cast<const uint8_t*>(data) + bounds[0];
    flat.rows = row_bytes() == 0 ? 0 : (bounds[rows] - bounds[0]) / row_bytes();
    return flat;
  }
  /// Of lists: the place of row i's first vector in Flat(), of i = rows the number of all.
  size_t FirstVector(size_t i) const { return (bounds[i] - bounds[0]) / row_bytes(); }
  /// Of lists: the row that holds vector `vector` of Flat().
  size_t OwnerOf(size_t vector) const {
    const uint64_t at = bounds[0] + vector * row_bytes();
    return static_cast<size_t>(std::upper_bound(bounds, bounds + rows + 1, at) - bounds) - 1;
  }
  /// Bytes of a row, of lists those of a vector; 0 for sparse rows.
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
  const bool is_lists = column.type == model::DataType::kArrayOfVector;
  const auto element = ElementOf(is_lists ? column.element_type : column.type);
  CHECK(element.has_value());
  return {.data = column.data,
          .rows = column.rows,
          .dim = column.dim,
          .element = *element,
          .bounds = column.offsets};
}

}  // namespace elanus::index
