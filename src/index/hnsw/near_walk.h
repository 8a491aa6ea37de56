// Walks to the query through all nodes and takes the allowed ones around it.
#pragma once

#include "base/bitset.h"
#include "base/context.h"
#include "index/codes/codec.h"
#include "index/hnsw/graph.h"
#include "index/hnsw/walk.h"

namespace elanus::index {

/// What a walk for the allowed nodes near a query is for.
struct NearGoal {
  BitsetView allowed;  // By rows of the segment, not empty.
  BitsetView nodes;    // The same by nodes; empty: not known.
  double share = 0;    // Of the rows that it allows.
  size_t ef = 0;       // Breadth of the walk through all nodes.
  size_t wanted = 0;   // Allowed nodes it looks for, one at least.
  // Gives up where of the `ef` nearest nodes fewer than this share of what the filter allows of all
  // are allowed: for whom it has another way.
  double least_density = 0;
};

/// Best-first walk on level 0 with a beam of `ef`, as without a filter; then it goes on from the
/// nodes met, nearest or not, as long as they are nearer than the `wanted` nearest allowed ones,
/// and of what these lead to scores the allowed nodes only. So the links are those that the graph
/// was built for, and what the filter adds is mostly looking up who is allowed.
///
/// True: `wanted` hits lie in scratch.beam. False: too few nodes near the query are allowed, and
/// scratch.beam has nodes near it, allowed or not.
Result<bool> WalkNear(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry,
                      const NearGoal& goal, WalkScratch& scratch);

}  // namespace elanus::index
