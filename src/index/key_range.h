// The range of a search as one of keys.
#pragma once

#include <limits>

#include "index/vector_index.h"

namespace elanus::index {

/// A range of scores as one of keys, which sort ascending (a distance, or a negated similarity):
/// low <= key < high.
struct KeyRange {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  KeyRange() = default;
  KeyRange(const ScoreRange& range, model::Metric metric) {
    const float sign = LargerIsBetter(metric) ? -1.0f : 1.0f;
    if (range.range_filter) low = sign * *range.range_filter;
    if (range.radius) high = sign * *range.radius;
  }
  bool has_low() const { return low > -std::numeric_limits<float>::infinity(); }
  bool bounds() const { return has_low() || high < std::numeric_limits<float>::infinity(); }
  bool Holds(float key) const { return low <= key && key < high; }
};

}  // namespace elanus::index
