// Least and greatest values.
#include "model/block_stats.h"

#include <algorithm>
#include <cmath>

namespace elanus::model {
namespace {

template <class T>
void Ints(const ColumnView& column, BlockStats& stats) {
  T least = 0;
  T most = 0;
  const T* values = column.values<T>();
  for (size_t i = 0; i < column.rows; ++i) {
    if (!column.IsValid(i)) continue;
    least = stats.has_range ? std::min(least, values[i]) : values[i];
    most = stats.has_range ? std::max(most, values[i]) : values[i];
    stats.has_range = true;
  }
  stats.int_min = least;
  stats.int_max = most;
}

template <class T>
void Reals(const ColumnView& column, BlockStats& stats) {
  const T* values = column.values<T>();
  for (size_t i = 0; i < column.rows; ++i) {
    if (!column.IsValid(i)) continue;
    const double value = values[i];
    if (std::isnan(value)) {
      stats.has_nan = true;
      continue;
    }
    stats.real_min = stats.has_range ? std::min(stats.real_min, value) : value;
    stats.real_max = stats.has_range ? std::max(stats.real_max, value) : value;
    stats.has_range = true;
  }
}

void Texts(const ColumnView& column, BlockStats& stats) {
  for (size_t i = 0; i < column.rows; ++i) {
    if (!column.IsValid(i)) continue;
    const std::string_view value = column.Bytes(i);
    if (!stats.has_range || value < stats.text_min) stats.text_min = value;
    if (!stats.has_range || value > stats.text_max) stats.text_max = value;
    stats.has_range = true;
  }
}

void Boxes(const ColumnView& column, BlockStats& stats) {
  Box around;
  for (size_t i = 0; i < column.rows; ++i) {
    if (!column.IsValid(i)) continue;
    const std::optional<Box> one = BoxOf(column.Bytes(i));
    if (!one) return;
    around.Add(*one);
  }
  stats.box = around;
}

}  // namespace

BlockStats StatsOf(const ColumnView& column) {
  BlockStats stats;
  for (size_t i = 0; column.valid != nullptr && i < column.rows; ++i) {
    stats.nulls += column.valid[i] == 0 ? 1 : 0;
  }
  switch (column.type) {
    case DataType::kBool:
    case DataType::kInt8:
      Ints<int8_t>(column, stats);
      break;
    case DataType::kInt16:
      Ints<int16_t>(column, stats);
      break;
    case DataType::kInt32:
      Ints<int32_t>(column, stats);
      break;
    case DataType::kInt64:
    case DataType::kTimestamptz:
      Ints<int64_t>(column, stats);
      break;
    case DataType::kFloat:
      Reals<float>(column, stats);
      break;
    case DataType::kDouble:
      Reals<double>(column, stats);
      break;
    case DataType::kVarChar:
      Texts(column, stats);
      break;
    case DataType::kGeometry:
      Boxes(column, stats);
      break;
    default:
      break;
  }
  return stats;
}

}  // namespace elanus::model
