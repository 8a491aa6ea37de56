// Walks over those nodes of a finished graph that a filter allows.
#pragma once

#include <span>

#include "base/bitset.h"
#include "base/context.h"
#include "index/codes/codec.h"
#include "index/hnsw/graph.h"
#include "index/hnsw/walk.h"

namespace elanus::index {

/// What a walk among allowed nodes is for.
struct AllowedGoal {
  BitsetView allowed;                // By rows of the segment, not empty.
  BitsetView nodes;                  // The same by nodes; empty: not known.
  std::span<const uint32_t> seeds;   // Allowed nodes that it begins at,
  std::span<const uint32_t> around;  // and nodes, allowed or not, around which it begins too.
  size_t ef = 0;                     // Results it looks for.
  size_t distances_max = 0;          // Given up after so many.
};

/// Best-first walk on level 0 that scores allowed nodes only; the hits lie in scratch.beam. A step
/// takes the allowed neighbours of a node and, where they are few, those behind its other
/// neighbours (ACORN, Patel et al. 2024). It begins at goal.seeds, which should be from all
/// over the graph, since a filter may leave nothing near the query, and around goal.around.
///
/// False when it was given up. A beam that is not full: no links led to the other allowed nodes.
Result<bool> WalkAllowed(Context& ctx, const GraphView& graph, Scorer& scorer,
                         const AllowedGoal& goal, WalkScratch& scratch);

}  // namespace elanus::index
