// The scan of some rows by their sketches first: most are ruled out by a bit a dimension, and only
// the rest is scored by its codes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/context.h"
#include "index/codes/sketches.h"
#include "index/hnsw/graph.h"
#include "index/top_k.h"

namespace elanus::index {

/// Of one call, for its queries one after the other; for one thread.
class SketchedScan {
 public:
  /// All borrowed. graph.node_of must be there.
  SketchedScan(const GraphView& graph, const Sketches& sketches);

  /// `query`: dim numbers, of length 1 for COSINE; `scorer` has the same query. Pushes to `best`,
  /// which is empty, the nodes of those of the rows with the least keys by codes.
  Status Run(Context& ctx, const float* query, Scorer& scorer, std::span<const uint32_t> rows,
             TopK& best, size_t candidates);

 private:
  Status ScoreSketches(Context& ctx, std::span<const uint32_t> rows);
  Status ScoreCodes(Context& ctx, Scorer& scorer, std::span<const uint32_t> rows,
                    const uint32_t* positions, size_t count, TopK& best);

  const GraphView& graph_;
  const Sketches& sketches_;
  const std::unique_ptr<Scorer> sketch_;
  std::vector<float> least_;    // The rows' least keys,
  std::vector<uint32_t> left_;  // and positions of those not ruled out.
  std::vector<uint32_t> nodes_;
  std::vector<float> keys_;
};

}  // namespace elanus::index
