// Walks over a finished graph.
#include "index/hnsw/walk.h"

#include <queue>

namespace elanus::index {
namespace {

constexpr int kExpansionsPerCheck = 64;  // About 100 us of work between looks at the deadline.

// The neighbours of `node` not met before, their vectors on the way into the cache.
void CollectNew(const GraphView& graph, uint32_t node, VisitedSet& visited,
                std::vector<uint32_t>& batch) {
  const uint32_t* links = graph.Neighbours(node, 0);
  const uint32_t count = links[0];
  batch.clear();
  for (uint32_t i = 1; i <= count; ++i) visited.Prefetch(links[i]);
  for (uint32_t i = 1; i <= count; ++i) {
    if (!visited.Visit(links[i])) continue;
    PrefetchVector(graph.vector(links[i]), graph.dim);
    batch.push_back(links[i]);
  }
}

// Calls fn(key, node) for each node of the batch.
template <class Fn>
void ScoreBatch(const GraphView& graph, const Distance& distance, const float* query,
                const std::vector<uint32_t>& batch, Fn fn) {
  size_t i = 0;
  for (; i + 4 <= batch.size(); i += 4) {
    const float* const rows[4] = {graph.vector(batch[i]), graph.vector(batch[i + 1]),
                                  graph.vector(batch[i + 2]), graph.vector(batch[i + 3])};
    float keys[4];
    distance.Four(query, rows, keys);
    for (size_t j = 0; j < 4; ++j) fn(keys[j], batch[i + j]);
  }
  for (; i < batch.size(); ++i) fn(distance.One(query, graph.vector(batch[i])), batch[i]);
}

}  // namespace

uint32_t Descend(const GraphView& graph, const Distance& distance, const float* query) {
  uint32_t node = graph.entry;
  float key = distance.One(query, graph.vector(node));
  for (uint32_t level = graph.top_level; level > 0; --level) {
    bool moved = true;
    while (moved) {
      moved = false;
      const uint32_t* links = graph.Neighbours(node, level);
      for (uint32_t i = 1; i <= links[0]; ++i) PrefetchVector(graph.vector(links[i]), graph.dim);
      uint32_t nearest = node;
      for (uint32_t i = 1; i <= links[0]; ++i) {
        const float other = distance.One(query, graph.vector(links[i]));
        if (other < key) {
          key = other;
          nearest = links[i];
          moved = true;
        }
      }
      node = nearest;
    }
  }
  return node;
}

Status WalkBeam(Context& ctx, const GraphView& graph, const Distance& distance, const float* query,
                uint32_t entry, size_t ef, WalkScratch& scratch) {
  VisitedSet& visited = ThreadVisitedSet();
  visited.Begin(graph.nodes);
  scratch.beam.Begin(ef);
  visited.Visit(entry);
  scratch.beam.Insert(distance.One(query, graph.vector(entry)), entry);
  uint32_t node;
  for (int expansions = 1; scratch.beam.Next(node); ++expansions) {
    if (expansions % kExpansionsPerCheck == 0) TRY(ctx.CheckAlive());
    CollectNew(graph, node, visited, scratch.batch);
    ScoreBatch(graph, distance, query, scratch.batch,
               [&](float key, uint32_t other) { scratch.beam.Insert(key, other); });
  }
  return {};
}

Result<bool> WalkFiltered(Context& ctx, const GraphView& graph, const Distance& distance,
                          const float* query, uint32_t entry, size_t ef, BitsetView allowed,
                          size_t distances_max, TopK& best) {
  VisitedSet& visited = ThreadVisitedSet();
  visited.Begin(graph.nodes);
  const auto farther = [](const Neighbour& a, const Neighbour& b) { return b < a; };
  std::priority_queue<Neighbour, std::vector<Neighbour>, decltype(farther)> open(farther);
  std::priority_queue<Neighbour> found;  // The ef best allowed; the worst on top.
  std::vector<uint32_t> batch;
  const auto meet = [&](float key, uint32_t node) {
    if (found.size() == ef && key >= found.top().key) return;
    open.push({key, node});
    if (!allowed.Test(graph.rows[node])) return;
    found.push({key, node});
    if (found.size() > ef) found.pop();
  };
  visited.Visit(entry);
  meet(distance.One(query, graph.vector(entry)), entry);
  size_t distances = 0;
  bool complete = true;
  for (int expansions = 1; !open.empty(); ++expansions) {
    const Neighbour nearest = open.top();
    if (found.size() == ef && nearest.key > found.top().key) break;
    if (distances > distances_max) {
      complete = false;
      break;
    }
    open.pop();
    if (expansions % kExpansionsPerCheck == 0) TRY(ctx.CheckAlive());
    CollectNew(graph, nearest.node, visited, batch);
    distances += batch.size();
    ScoreBatch(graph, distance, query, batch, meet);
  }
  for (; !found.empty(); found.pop()) best.Push(found.top().key, graph.rows[found.top().node]);
  return complete;
}

}  // namespace elanus::index
