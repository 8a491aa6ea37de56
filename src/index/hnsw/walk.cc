// Walks over a finished graph.
#include "index/hnsw/walk.h"

#include <queue>

namespace elanus::index {
namespace {

constexpr int kExpansionsPerCheck = 64;  // About 100 us of work between looks at the deadline.

// Appends the neighbours of `node` not met before, their codes on the way into the cache.
void CollectNew(const GraphView& graph, uint32_t node, VisitedSet& visited,
                std::vector<uint32_t>& batch) {
  const uint32_t* links = graph.Neighbours(node, 0);
  const uint32_t count = links[0];
  for (uint32_t i = 1; i <= count; ++i) visited.Prefetch(links[i]);
  for (uint32_t i = 1; i <= count; ++i) {
    if (!visited.Visit(links[i])) continue;
    graph.Prefetch(links[i]);
    batch.push_back(links[i]);
  }
}

void ScoreBatch(Scorer& scorer, WalkScratch& scratch) {
  if (scratch.keys.size() < scratch.batch.size()) scratch.keys.resize(scratch.batch.size());
  scorer.Score(scratch.batch.data(), scratch.batch.size(), scratch.keys.data());
}

float KeyOf(Scorer& scorer, uint32_t node) {
  float key;
  scorer.Score(&node, 1, &key);
  return key;
}

}  // namespace

uint32_t Descend(const GraphView& graph, Scorer& scorer, WalkScratch& scratch) {
  uint32_t node = graph.entry;
  float key = KeyOf(scorer, node);
  for (uint32_t level = graph.top_level; level > 0; --level) {
    bool moved = true;
    while (moved) {
      moved = false;
      const uint32_t* links = graph.Neighbours(node, level);
      for (uint32_t i = 1; i <= links[0]; ++i) graph.Prefetch(links[i]);
      scratch.batch.assign(links + 1, links + 1 + links[0]);
      ScoreBatch(scorer, scratch);
      for (size_t i = 0; i < scratch.batch.size(); ++i) {
        if (scratch.keys[i] < key) {
          key = scratch.keys[i];
          node = scratch.batch[i];
          moved = true;
        }
      }
    }
  }
  return node;
}

Status WalkBeam(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry, size_t ef,
                WalkScratch& scratch) {
  VisitedSet& visited = ThreadVisitedSet();
  visited.Begin(graph.nodes);
  scratch.beam.Begin(ef);
  visited.Visit(entry);
  scratch.beam.Insert(KeyOf(scorer, entry), entry);
  const auto meet = [&](const std::vector<uint32_t>& batch) {
    if (scratch.keys.size() < batch.size()) scratch.keys.resize(batch.size());
    scorer.Score(batch.data(), batch.size(), scratch.keys.data());
    for (size_t i = 0; i < batch.size(); ++i) scratch.beam.Insert(scratch.keys[i], batch[i]);
  };
  Status alive;
  WalkAhead(
      scratch.beam, scratch.batches, [&](uint32_t node) { graph.PrefetchLinks(node); },
      [&](uint32_t node, std::vector<uint32_t>& batch) { CollectNew(graph, node, visited, batch); },
      meet,
      [&](int step) {
        if (step % kExpansionsPerCheck == 0) alive = ctx.CheckAlive();
        return alive.ok();
      });
  return alive;
}

Result<bool> WalkFiltered(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry,
                          const WalkGoal& goal, WalkScratch& scratch, std::vector<Neighbour>& found,
                          TopK* below) {
  const size_t ef = goal.ef;
  VisitedSet& visited = ThreadVisitedSet();
  visited.Begin(graph.nodes);
  const auto farther = [](const Neighbour& a, const Neighbour& b) { return b < a; };
  std::priority_queue<Neighbour, std::vector<Neighbour>, decltype(farther)> open(farther);
  std::priority_queue<Neighbour> best;  // The ef best allowed; the worst on top.
  const auto meet = [&](float key, uint32_t node) {
    if (best.size() == ef && key >= best.top().key) return;
    open.push({key, node});
    if (!goal.allowed.empty() && !goal.allowed.Test(graph.rows[node])) return;
    if (key < goal.low) {
      if (below != nullptr) below->Push(-key, node);
      return;
    }
    best.push({key, node});
    if (best.size() > ef) best.pop();
  };
  visited.Visit(entry);
  meet(KeyOf(scorer, entry), entry);
  size_t distances = 0;
  bool complete = true;
  for (int expansions = 1; !open.empty(); ++expansions) {
    const Neighbour nearest = open.top();
    if (best.size() == ef && nearest.key > best.top().key) break;
    if (distances > goal.distances_max) {
      complete = false;
      break;
    }
    open.pop();
    if (expansions % kExpansionsPerCheck == 0) TRY(ctx.CheckAlive());
    scratch.batch.clear();
    CollectNew(graph, nearest.node, visited, scratch.batch);
    distances += scratch.batch.size();
    ScoreBatch(scorer, scratch);
    for (size_t i = 0; i < scratch.batch.size(); ++i) meet(scratch.keys[i], scratch.batch[i]);
  }
  found.resize(best.size());
  for (size_t i = found.size(); i-- > 0; best.pop()) found[i] = best.top();
  return complete;
}

}  // namespace elanus::index
