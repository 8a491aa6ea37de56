// Where a walk among allowed nodes begins when none of them lie near the query: at the nearest of a
// sample of them all.
#pragma once

#include <memory>
#include <vector>

#include "base/bitset.h"
#include "index/codes/sketches.h"
#include "index/hnsw/graph.h"

namespace elanus::index {

/// Of one call, for its queries one after the other; for one thread.
class SpreadSeeds {
 public:
  /// All borrowed. `sketches`: null where there are none. graph.node_of must be there.
  SpreadSeeds(const GraphView& graph, const Sketches* sketches, BitsetView allowed);

  /// Appends to `nodes` those of the sampled rows that are nearest to `query` (dim numbers, of
  /// length 1 for COSINE) by their sketches; without sketches a smaller sample as it is.
  void Choose(const float* query, std::vector<uint32_t>& nodes);

 private:
  const GraphView& graph_;
  std::unique_ptr<Scorer> sketch_;
  std::vector<uint32_t> rows_;
  std::vector<float> least_;
  std::vector<uint32_t> nearest_;
};

}  // namespace elanus::index
