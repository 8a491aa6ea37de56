// A borrowed matrix of vectors: rows x dim, row-major.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/data_type.h"

namespace elanus::index {

enum class ElementType : uint8_t { kFloat32 };

struct VectorBlock {
  const void* data = nullptr;
  size_t rows = 0;
  uint32_t dim = 0;
  ElementType element = ElementType::kFloat32;

  const float* row(size_t i) const { return static_cast<const float*>(data) + i * dim; }
};

}  // namespace elanus::index
