// Walks over those nodes of a finished graph that a filter allows.
#pragma once

#include "base/bitset.h"
#include "base/context.h"
#include "index/codes/codec.h"
#include "index/hnsw/graph.h"
#include "index/hnsw/walk.h"

namespace elanus::index {

/// Best-first walk on level 0 that scores allowed nodes only, with a beam of `ef`; the hits lie in
/// scratch.beam. A step takes the allowed neighbours of a node and, where they are few, those
/// behind its other neighbours (ACORN, Patel et al. 2024). It begins around `entry` and at allowed
/// nodes from all over the graph, since a filter may leave nothing near the entry.
///
/// `allowed`: by rows of the segment, not empty; graph.node_of must be there.
/// False when it was given up because it took more than `distances_max` scores. A beam that is not
/// full: no links led to the other allowed nodes.
Result<bool> WalkAllowed(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry,
                         BitsetView allowed, size_t ef, size_t distances_max, WalkScratch& scratch);

}  // namespace elanus::index
