// A best-first walk that asks for memory three nodes ahead.
#pragma once

#include <cstdint>
#include <vector>

#include "index/hnsw/graph.h"

namespace elanus::index {

/// The nodes of two steps of a walk; reusable.
struct WalkBatches {
  std::vector<uint32_t> here;    // Whose rows are there,
  std::vector<uint32_t> coming;  // and whose rows are on their way.
};

/// Expands the beam's nodes, the nearest first, until none is left. What a step needs lies in three
/// places that only lead to one another: a node's links, the rows that these name, their keys. So
/// each is asked for a step before it is used, while the nodes before it are scored; a node is
/// chosen before the last two are known in full, which costs some nodes more and finds as much or
/// more at the same width. Of one thread.
///
/// ask_for_links(node); collect(node, batch): appends those of its neighbours not met before, their
/// rows on the way into the cache; meet(batch): scores nodes and puts them into the beam;
/// goes_on(step) -> bool: whether to go on. False: that ended the walk.
template <class AskForLinks, class Collect, class Meet, class GoesOn>
bool WalkAhead(Beam& beam, WalkBatches& batches, AskForLinks ask_for_links, Collect collect,
               Meet meet, GoesOn goes_on) {
  batches.coming.clear();
  uint32_t linked = 0;  // Its links are on their way.
  bool has_linked = false;
  for (int step = 1;; ++step) {
    uint32_t nearest = 0;
    const bool has_nearest = beam.Next(nearest);
    if (!has_nearest && !has_linked && batches.coming.empty()) return true;
    if (has_nearest) ask_for_links(nearest);
    batches.here.swap(batches.coming);
    batches.coming.clear();
    if (has_linked) collect(linked, batches.coming);
    if (!batches.here.empty()) meet(batches.here);
    linked = nearest;
    has_linked = has_nearest;
    if (!goes_on(step)) return false;
  }
}

}  // namespace elanus::index
