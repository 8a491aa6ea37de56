// Builds a graph (Malkov and Yashunin 2016) over rows of bits, on one thread or several. The twin
// of hnsw/builder.h on a scorer instead of float32 distances.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "index/binary/scorer.h"
#include "index/hnsw/graph.h"

namespace elanus::index {

/// Inserts node by node; nodes are locked one at a time while their links change.
class BinaryGraphBuilder {
 public:
  /// `rows`, no two of them equal, and `ones` (of each row, for JACCARD; may be null for HAMMING)
  /// are borrowed.
  BinaryGraphBuilder(BinaryBlock rows, const uint32_t* ones, model::Metric metric, uint32_t m,
                     uint32_t ef_construction);
  Status Build(Context& ctx, const BuildOptions& options);

  /// Numbers nodes anew in breadth-first order from the entry, so that a walk touches neighbouring
  /// memory: order[new] = old.
  std::vector<uint32_t> BreadthFirstOrder() const;
  /// Without codes and row numbers; nodes are rows.
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
    BitScorer scorer;
    VisitedSet& visited;
    Beam beam;
    std::vector<uint32_t> links;
    std::vector<float> keys;
    std::vector<Neighbour> candidates;
    std::vector<uint32_t> kept;                    // The nodes of a selection.
    std::vector<std::vector<Neighbour>> selected;  // By level.
  };

  void Insert(uint32_t node, Scratch& scratch);
  uint32_t Descend(uint32_t entry, uint32_t from_level, uint32_t to_level, Scratch& scratch) const;
  void SearchLevel(uint32_t entry, uint32_t level, Scratch& scratch) const;
  /// The heuristic of the paper (algorithm 4): a candidate is kept when it is nearer to the node
  /// than to any kept one. Changes the scorer's query.
  void Select(const std::vector<Neighbour>& candidates, size_t count, Scratch& scratch,
              std::vector<Neighbour>& selected) const;
  void Link(uint32_t from, Neighbour to, uint32_t level, Scratch& scratch);
  void LinkNew(uint32_t node, uint32_t level, const std::vector<Neighbour>& selected);
  void ReadLinks(uint32_t node, uint32_t level, std::vector<uint32_t>& to) const;
  void Score(const std::vector<uint32_t>& nodes, Scratch& scratch) const;
  const uint32_t* Slot(uint32_t node, uint32_t level) const;
  uint32_t* Slot(uint32_t node, uint32_t level);
  uint32_t Capacity(uint32_t level) const { return level == 0 ? 2 * m_ : m_; }

  const BinaryBlock rows_;
  const uint32_t* ones_;
  const model::Metric metric_;
  const uint32_t m_;
  const uint32_t ef_construction_;
  std::vector<uint8_t> levels_;
  std::vector<uint32_t> links_;
  std::vector<uint32_t> upper_start_;
  std::vector<uint32_t> upper_;
  mutable std::unique_ptr<SpinLock[]> locks_;
  std::mutex entry_mutex_;  // Guards entry_ and top_level_ while nodes of a new top level enter.
  std::atomic<uint32_t> entry_{0};
  std::atomic<uint32_t> top_level_{0};
};

}  // namespace elanus::index
