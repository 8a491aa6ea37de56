// The exact scan over rows of bits, and the ranges of keys that all searches keep.
#pragma once

#include <limits>

#include "index/binary/scorer.h"
#include "index/binary_index.h"
#include "index/top_k.h"

namespace elanus::index {

/// A range of scores as one of keys, which sort ascending: low <= key < high.
struct KeyRange {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  KeyRange() = default;
  KeyRange(const ScoreRange& range, BinaryMetric metric) {
    const float sign = LargerIsBetter(metric) ? -1.0f : 1.0f;
    if (range.range_filter) low = sign * *range.range_filter;
    if (range.radius) high = sign * *range.radius;
  }
  bool Holds(float key) const { return low <= key && key < high; }
};

/// kSegcore when range and radius exclude each other; kSegcoreUnsupported for a reserved metric.
Status CheckBinaryRequest(const BinaryRequest& request, BinaryMetric metric);

/// Every slot without a row.
void ClearHits(size_t slots, Hits hits);

/// As BinaryIndex::Search: scores every allowed one of `rows` rows with `scorer`.
Status ScanBinary(Context& ctx, BinaryScorer& scorer, size_t rows, BinaryMetric metric,
                  const BinaryRequest& request, Hits hits);

/// As SearchExactBinary; `ones` as in BitScorer.
Status ScanBinaryRows(Context& ctx, BinaryBlock rows, const uint32_t* ones, BinaryMetric metric,
                      const BinaryRequest& request, Hits hits);

}  // namespace elanus::index
