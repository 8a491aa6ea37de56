// Builds the graph (Malkov and Yashunin 2016), on one thread or several.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "index/codes/build_space.h"
#include "index/hnsw/graph.h"
#include "index/hnsw/spin_lock.h"
#include "index/hnsw/walk_ahead.h"
#include "index/vector_index.h"

namespace elanus::index {

/// Inserts node by node; nodes are locked one at a time while their links change. Space, BuildSpace
/// or BitSpace, has the keys between nodes; another one is instantiated in the source.
template <class Space>
class GraphBuilder {
 public:
  /// `space` is borrowed.
  GraphBuilder(const Space& space, uint32_t m, uint32_t ef_construction);
  Status Build(Context& ctx, const BuildOptions& options);

  /// Numbers nodes anew in breadth-first order from the entry, so that a walk touches neighbouring
  /// memory: order[new] = old.
  std::vector<uint32_t> BreadthFirstOrder() const;
  /// Without codes; nodes are rows.
  GraphView view() const;
  uint32_t LevelOf(uint32_t node) const { return levels_[node]; }

 private:
  struct Scratch {
    explicit Scratch(const Space& space)
        : node(space.NewOrigin()), linked(space.NewOrigin()), selected_from(space.NewOrigin()) {}
    VisitedSet& visited = ThreadVisitedSet();
    Beam beam;
    std::vector<uint32_t> links;
    WalkBatches batches;
    std::vector<float> keys;
    typename Space::Origin node;    // That is inserted.
    typename Space::Origin linked;  // Whose links change.
    typename Space::Origin selected_from;
    std::vector<uint32_t> kept;  // The nodes of a selection.
    std::vector<Neighbour> candidates;
    std::vector<std::vector<Neighbour>> selected;  // By level.
  };

  void Insert(uint32_t node, Scratch& scratch);
  void SearchLevel(uint32_t entry, uint32_t level, Scratch& scratch) const;
  uint32_t Descend(uint32_t entry, uint32_t from_level, uint32_t to_level, Scratch& scratch) const;
  /// The heuristic of the paper (algorithm 4): a candidate is kept when it is nearer to the node
  /// than to any kept one.
  void Select(const std::vector<Neighbour>& candidates, size_t count, Scratch& scratch,
              std::vector<Neighbour>& selected) const;
  void Link(uint32_t from, Neighbour to, uint32_t level, Scratch& scratch);
  void LinkNew(uint32_t node, uint32_t level, const std::vector<Neighbour>& selected);
  void ReadLinks(uint32_t node, uint32_t level, std::vector<uint32_t>& to) const;
  uint32_t* Slot(uint32_t node, uint32_t level);
  const uint32_t* Slot(uint32_t node, uint32_t level) const;
  uint32_t Capacity(uint32_t level) const { return level == 0 ? 2 * m_ : m_; }

  const Space& space_;
  const uint32_t nodes_;
  const uint32_t m_;
  const uint32_t ef_construction_;
  std::vector<uint8_t> levels_;
  std::vector<uint32_t> links_;
  std::vector<uint32_t> upper_start_;
  std::vector<uint32_t> upper_;
  std::vector<uint32_t> rows_;  // The identity, for view().
  mutable std::unique_ptr<SpinLock[]> locks_;
  std::mutex entry_mutex_;  // Guards entry_ and top_level_ while nodes of a new top level enter.
  std::atomic<uint32_t> entry_{0};
  std::atomic<uint32_t> top_level_{0};
};

/// Over dense rows.
using HnswBuilder = GraphBuilder<BuildSpace>;

}  // namespace elanus::index
