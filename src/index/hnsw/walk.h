// Walks over a finished graph.
#pragma once

#include <limits>

#include "base/bitset.h"
#include "base/context.h"
#include "index/codes/codec.h"
#include "index/hnsw/graph.h"
#include "index/hnsw/walk_ahead.h"
#include "index/top_k.h"

namespace elanus::index {

/// Scratch of one query, reusable.
struct WalkScratch {
  Beam beam;
  WalkBatches batches;
  std::vector<uint32_t> batch;
  std::vector<uint32_t> passed;  // Of WalkAllowed: neighbours that the filter does not allow.
  std::vector<float> keys;
  Beam found;                  // Of WalkNear: the nearest allowed nodes,
  std::vector<Neighbour> met;  // and all nodes met.
};

/// Greedy descent from the top to level 1; the entry for level 0. The scorer has its query.
uint32_t Descend(const GraphView& graph, Scorer& scorer, WalkScratch& scratch);

/// Best-first walk on level 0 with a beam of `ef`; the hits lie in scratch.beam.
Status WalkBeam(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry, size_t ef,
                WalkScratch& scratch);

/// What a filtered walk is for.
struct WalkGoal {
  size_t ef = 0;            // Results it looks for.
  BitsetView allowed = {};  // Rows that may be results; empty: every one.
  float low = -std::numeric_limits<float>::infinity();  // The least key of a result.
  size_t distances_max = 0;                             // Given up after so many.
};

/// As WalkBeam, but only allowed rows from `low` on are results, and the walk goes on until `ef` of
/// them are better than all that is left to expand. True when it was not given up. `found`: the
/// results, the nearest first. `below`, when not null: takes the negated keys of allowed nodes
/// below `low`.
Result<bool> WalkFiltered(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry,
                          const WalkGoal& goal, WalkScratch& scratch, std::vector<Neighbour>& found,
                          TopK* below);

}  // namespace elanus::index
