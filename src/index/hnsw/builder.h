// Builds the graph, on one thread or several.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "index/codes/build_space.h"
#include "index/hnsw/graph.h"
#include "index/vector_index.h"

namespace elanus::index {

/// Inserts node by node; nodes are locked one at a time while their links change.
class HnswBuilder {
 public:
  /// `space` is borrowed.
  HnswBuilder(const BuildSpace& space, uint32_t m, uint32_t ef_construction);
  Status Build(Context& ctx, const BuildOptions& options);

  /// Numbers nodes anew in breadth-first order from the entry, so that a walk touches neighbouring
  /// memory: order[new] = old.
  std::vector<uint32_t> BreadthFirstOrder() const;
  /// Without codes; nodes are rows.
  GraphView view() const;
  uint32_t LevelOf(uint32_t node) const { return levels_[node]; }

 private:
  struct SpinLock {
    std::atomic_flag flag = ATOMIC_FLAG_INIT;
    void lock() {
      while (flag.test_and_set(std::memory_order_acquire)) {
        while (flag.test(std::memory_order_relaxed)) {
        }
      }
    }
    void unlock() { flag.clear(std::memory_order_release); }
  };

  struct Scratch {
    Beam beam;
    VisitedSet visited;
    std::vector<uint32_t> links;
    std::vector<uint32_t> batch;
    std::vector<float> keys;
    BuildSpace::Origin node;    // That is inserted.
    BuildSpace::Origin linked;  // Whose links change.
    BuildSpace::Origin selected_from;
    std::vector<uint32_t> kept;  // The nodes of a selection.
    std::vector<Neighbour> candidates;
    std::vector<std::vector<Neighbour>> selected;  // By level.
  };

  void Insert(uint32_t node, Scratch& scratch);
  void SearchLevel(uint32_t entry, uint32_t level, Scratch& scratch);
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

  const BuildSpace& space_;
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

}  // namespace elanus::index
