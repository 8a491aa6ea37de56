// Builds a Vamana graph, on one thread or several.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "index/codes/build_space.h"
#include "index/hnsw/graph.h"
#include "index/hnsw/spin_lock.h"
#include "index/hnsw/walk_ahead.h"
#include "index/vector_index.h"

namespace elanus::index {

/// The graph of the paper: greedy search from the medoid, robust pruning of what it met, links both
/// ways; a pass over all nodes with alpha 1 and one with alpha 1.2.
class VamanaBuilder {
 public:
  /// `degree`: links a node keeps; `list_size`: breadth of the searches. `space` borrowed.
  VamanaBuilder(const BuildSpace& space, uint32_t degree, uint32_t list_size);
  /// `passes`: 2, or 1 for the last pass alone. Every node can be reached from the entry then.
  Status Build(Context& ctx, int passes, const BuildOptions& options);

  /// Bytes a node of the graph while it is built: its links, its lock, and what else is known of
  /// it.
  static size_t NodeBytes(uint32_t degree);

  uint32_t entry() const { return entry_; }
  std::span<const uint32_t> Links(uint32_t node) const {
    const uint32_t* slot = Slot(node);
    return {slot + 1, slot[0]};
  }

 private:
  struct Scratch {
    Beam beam;
    VisitedSet visited;
    std::vector<uint32_t> links;  // Of the node at hand, as they were.
    WalkBatches batches;
    std::vector<float> keys;
    BuildSpace::Origin node;    // Whose neighbours are searched,
    BuildSpace::Origin pruned;  // and what a candidate is measured from.
    std::vector<Neighbour> candidates;
    std::vector<Neighbour> other_candidates;
    std::vector<uint32_t> kept;
    std::vector<uint32_t> other_kept;
  };

  Status RunPass(Context& ctx, float alpha, double done, double share, const BuildOptions& options);
  void Improve(uint32_t node, float alpha, Scratch& scratch);
  void SearchFor(uint32_t node, Scratch& scratch);
  void Keys(uint32_t node, const std::vector<uint32_t>& others, Scratch& scratch) const;
  /// `other` at `key` from `node` is struck out by a kept node when its key to that is at most
  /// this: a distance alpha times less. For inner products what a distance of rows of length 1
  /// would say, with the largest product that the two lengths allow in the place of 1.
  float StrikeKey(uint32_t node, uint32_t other, float key, float alpha) const {
    const float most = lengths_.empty() ? 0.0f : lengths_[node] * lengths_[other];
    return key - (1 - 1 / (alpha * alpha)) * (key + most);
  }
  void Prune(uint32_t node, std::vector<Neighbour>& candidates, float alpha,
             BuildSpace::Origin& origin, std::vector<uint32_t>& kept) const;
  void Replace(uint32_t node, const Scratch& scratch);
  void LinkBack(uint32_t from, uint32_t to, float alpha, Scratch& scratch);
  Status ReachAll(Context& ctx, Scratch& scratch);
  void LinkFrom(uint32_t nearest, uint32_t node);
  void Shrink(uint32_t node, uint32_t* slot, float alpha, Scratch& scratch);
  uint32_t* Slot(uint32_t node) { return links_.data() + size_t{node} * (1 + capacity_); }
  const uint32_t* Slot(uint32_t node) const {
    return links_.data() + size_t{node} * (1 + capacity_);
  }

  const BuildSpace& space_;
  const uint32_t degree_;
  const uint32_t capacity_;  // More than degree_, so that few links make a node be pruned again.
  const uint32_t list_size_;
  uint32_t entry_ = 0;
  std::vector<float> lengths_;   // Of each row, for inner products.
  std::vector<uint32_t> order_;  // In which nodes are taken.
  std::vector<uint32_t> links_;  // nodes x (1 + capacity): count, then neighbours.
  std::unique_ptr<SpinLock[]> locks_;
};

}  // namespace elanus::index
