// Comparing values of columns.
#include "model/order.h"

#include <cmath>

namespace elanus::model {
namespace {

template <class T>
int Compare(const ColumnView& a, size_t i, const ColumnView& b, size_t j) {
  const T x = a.Get<T>(i);
  const T y = b.Get<T>(j);
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(x) || std::isnan(y)) return int(std::isnan(x)) - int(std::isnan(y));
  }
  return x < y ? -1 : x > y;
}

}  // namespace

bool IsOrdered(DataType type) {
  return type == DataType::kBool || IsInteger(type) || IsFloating(type) ||
         type == DataType::kVarChar || type == DataType::kTimestamptz;
}

int CompareValues(const ColumnView& a, size_t i, const ColumnView& b, size_t j) {
  switch (a.type) {
    case DataType::kBool:
    case DataType::kInt8:
      return Compare<int8_t>(a, i, b, j);
    case DataType::kInt16:
      return Compare<int16_t>(a, i, b, j);
    case DataType::kInt32:
      return Compare<int32_t>(a, i, b, j);
    case DataType::kInt64:
    case DataType::kTimestamptz:
      return Compare<int64_t>(a, i, b, j);
    case DataType::kFloat:
      return Compare<float>(a, i, b, j);
    case DataType::kDouble:
      return Compare<double>(a, i, b, j);
    default: {
      const int order = a.Bytes(i).compare(b.Bytes(j));
      return order < 0 ? -1 : order > 0;
    }
  }
}

int CompareInOrder(const OrderField& field, const ColumnView& a, size_t i, const ColumnView& b,
                   size_t j) {
  const bool a_valid = a.IsValid(i);
  const bool b_valid = b.IsValid(j);
  if (!a_valid || !b_valid) {
    const int order = int(b_valid) - int(a_valid);  // 1: a is the null.
    return field.nulls_first ? -order : order;
  }
  const int order = CompareValues(a, i, b, j);
  return field.is_descending ? -order : order;
}

}  // namespace elanus::model
