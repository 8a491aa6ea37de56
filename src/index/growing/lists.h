// The parts of a growing index: centroids, and the rows by list, packed in one bit or a few a
// dimension.
#pragma once

#include <memory>
#include <vector>

#include "index/cells/list_order.h"
#include "index/codes/codec.h"
#include "index/growing/dense.h"

namespace elanus::index {

/// Rows are packed as RaBitQ residuals: codes need no training, so they are good for rows that
/// nobody has seen when the centroids were trained.
struct Centroids {
  size_t count = 0;
  size_t dim = 0;
  std::vector<float> values;                    // count x dim; of rows of length 1 under COSINE.
  std::unique_ptr<const CodedCentroids> order;  // Of `values`: which of them a query wants.
  std::unique_ptr<const Codec> codec;
  size_t trained_rows = 0;

  const float* centroid(size_t l) const { return values.data() + l * dim; }
  size_t memory_bytes() const { return values.size() * sizeof(float) + order->memory_bytes(); }
};

/// So many rows at most make a run: few runs, so that a list lies in few places, and short enough
/// that the last one is made anew whenever rows are added to it.
inline constexpr size_t kRunBlocks = 8;
inline constexpr size_t kRunRows = kRunBlocks * kGrowingBlockRows;
static_assert(kRunRows - 1 <= UINT16_MAX);

/// Rows of kRunBlocks blocks, list by list.
struct Run {
  std::vector<uint32_t> bounds;  // List l has places [bounds[l], bounds[l + 1]).
  std::vector<uint16_t> rows;    // By place: numbers in the run, ascending within a list.
  std::vector<char> codes;       // By place.
  std::vector<float> terms;      // By place, see PackedRows.

  size_t memory_bytes() const {
    return bounds.size() * sizeof(uint32_t) + rows.size() * sizeof(uint16_t) + codes.size() +
           terms.size() * sizeof(float);
  }
};

/// `count` centroids for the rows [0, rows) of the blocks, from an even sample. Cancellable.
Result<std::shared_ptr<const Centroids>> Train(Context& ctx, std::span<const VectorBlock> blocks,
                                               size_t rows, size_t count, model::Metric metric);

/// `run` (may be null) with the rows of `added`, which follow its own. Cancellable.
Result<std::shared_ptr<const Run>> Longer(Context& ctx, const Run* run, VectorBlock added,
                                          const Centroids& centroids, model::Metric metric);

}  // namespace elanus::index
