// Walks over a finished graph.
#pragma once

#include "base/bitset.h"
#include "base/context.h"
#include "index/codes/codec.h"
#include "index/hnsw/graph.h"

namespace elanus::index {

/// Scratch of one query, reusable.
struct WalkScratch {
  Beam beam;
  std::vector<uint32_t> batch;
  std::vector<float> keys;
};

/// Greedy descent from the top to level 1; the entry for level 0. The scorer has its query.
uint32_t Descend(const GraphView& graph, Scorer& scorer, WalkScratch& scratch);

/// Best-first walk on level 0 with a beam of `ef`; the hits lie in scratch.beam.
Status WalkBeam(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry, size_t ef,
                WalkScratch& scratch);

/// As WalkBeam, but only allowed rows are results, and the walk goes on until `ef` of them are
/// better than all that is left to expand. Gives up after `distances_max` distances: true when it
/// ended by itself. `found`: what it found, the nearest first.
Result<bool> WalkFiltered(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry,
                          size_t ef, BitsetView allowed, size_t distances_max, WalkScratch& scratch,
                          std::vector<Neighbour>& found);

}  // namespace elanus::index
