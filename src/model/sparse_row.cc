// Sparse rows.
#include "model/sparse_row.h"

#include <cmath>
#include <cstring>

#include "base/check.h"

namespace elanus::model {
namespace {

template <class T>
T At(std::string_view bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

void PairsToSparseRow(std::string_view pairs, std::string& row) {
  DCHECK(pairs.size() % 8 == 0);
  const size_t n = pairs.size() / 8;
  row.resize(pairs.size());
  for (size_t i = 0; i < n; ++i) {
    std::memcpy(row.data() + 4 * i, pairs.data() + 8 * i, 4);
    std::memcpy(row.data() + 4 * (n + i), pairs.data() + 8 * i + 4, 4);
  }
}

std::string SparseRowToPairs(std::string_view row) {
  const size_t n = row.size() / 8;
  std::string pairs(8 * n, '\0');
  for (size_t i = 0; i < n; ++i) {
    std::memcpy(pairs.data() + 8 * i, row.data() + 4 * i, 4);
    std::memcpy(pairs.data() + 8 * i + 4, row.data() + 4 * (n + i), 4);
  }
  return pairs;
}

uint32_t SparseDim(std::string_view row) {
  const size_t n = row.size() / 8;
  return n == 0 ? 0 : At<uint32_t>(row, n - 1) + 1;
}

Status CheckSparseRow(std::string_view row) {
  const size_t n = row.size() / 8;
  for (size_t i = 0; i < n; ++i) {
    const auto dim = At<uint32_t>(row, i);
    if (dim > kSparseDimMax) {
      return Invalid("invalid index in sparse float vector: {} is larger than {}", dim,
                     kSparseDimMax);
    }
    if (i > 0 && dim <= At<uint32_t>(row, i - 1)) {
      return Invalid("unsorted or same indices in sparse float vector: {} after {}", dim,
                     At<uint32_t>(row, i - 1));
    }
    const auto value = At<float>(row, n + i);
    if (!std::isfinite(value)) {
      return Invalid("invalid value in sparse float vector: NaN or infinite at index {}", dim);
    }
    if (value < 0) {
      return Invalid("negative value in sparse float vector: {} at index {}", value, dim);
    }
  }
  return {};
}

}  // namespace elanus::model
