// Walks over those nodes of a finished graph that a filter allows.
#include "index/hnsw/allowed_walk.h"

#include <algorithm>
#include <array>

namespace elanus::index {
namespace {

constexpr int kStepsPerCheck = 32;  // About 100 us of work between looks at the deadline.
// A step with so many allowed neighbours looks no farther; one with fewer looks behind the others
// until it has the second number.
constexpr size_t kAllowedEnough = 16;
constexpr size_t kAllowedWanted = 24;
// Neighbours whose links are on their way into the cache while others are looked behind.
constexpr size_t kLinksAhead = 8;
// Nodes whose neighbours are met in one go, so that one's links and codes are on their way while
// the other's are looked at.
constexpr size_t kNodesAStep = 2;

// A step writes up to so many numbers, one past what it keeps.
uint32_t* Room(std::vector<uint32_t>& numbers, size_t count) {
  if (numbers.size() < count) numbers.resize(count);
  return numbers.data();
}

class AllowedWalk {
 public:
  AllowedWalk(const GraphView& graph, Scorer& scorer, const AllowedGoal& goal, WalkScratch& scratch)
      : graph_(graph),
        scorer_(scorer),
        allowed_(goal.allowed),
        nodes_(goal.nodes),
        scratch_(scratch),
        visited_(ThreadVisitedSet()),
        batch_(Room(scratch.batch,
                    goal.seeds.size() + kNodesAStep * (kAllowedWanted + 4 * size_t{graph.m} + 2))),
        behind_(Room(scratch.passed, (1 + kNodesAStep) * (2 * size_t{graph.m} + 1))) {
    for (size_t i = 0; i < kNodesAStep; ++i) {
      steps_[i].passed = behind_ + (1 + i) * (2 * size_t{graph.m} + 1);
    }
    visited_.Begin(graph.nodes);
  }

  void CollectSeeds(std::span<const uint32_t> seeds) {
    Begin();
    for (uint32_t seed : seeds) Take(seed);
  }

  // What a step from `count` nodes meets.
  void CollectFrom(const uint32_t* nodes, size_t count) {
    Begin();
    for (size_t i = 0; i < count; ++i) MeetNeighbours(nodes[i], steps_[i]);
    for (size_t i = 0; i < count; ++i) LookBehind(steps_[i]);
  }

  // What the walk begins with around `entry`.
  void CollectAround(uint32_t entry) {
    CollectFrom(&entry, 1);
    if (IsAllowed(entry)) Take(entry);
  }

  void MeetBatch() {
    if (scratch_.keys.size() < count_) scratch_.keys.resize(count_);
    scorer_.Score(batch_, count_, scratch_.keys.data());
    distances_ += count_;
    for (size_t i = 0; i < count_; ++i) scratch_.beam.Insert(scratch_.keys[i], batch_[i]);
  }

  size_t distances() const { return distances_; }

 private:
  // From one node.
  struct Step {
    uint32_t* passed = nullptr;  // Neighbours that the filter does not allow,
    size_t unseen = 0;           // the first so many not looked behind yet.
    size_t allowed = 0;          // Allowed nodes that it has led to.
  };

  bool IsAllowed(uint32_t node) const { return allowed_.Test(graph_.rows[node]); }
  void Begin() { count_ = 0; }

  // Parts the nodes behind `links`: the allowed ones to `allowed`, the others to `others`. Without
  // branches, which chance would mispredict: this is most of what a walk under a narrow filter
  // does.
  size_t Part(const uint32_t* links, uint32_t* allowed, uint32_t* others) const {
    const auto part = [&](auto is_allowed) {
      size_t count = 0;
      for (uint32_t i = 1; i <= links[0]; ++i) {
        allowed[count] = links[i];
        others[i - 1 - count] = links[i];
        count += is_allowed(links[i]) ? 1 : 0;
      }
      return count;
    };
    if (!nodes_.empty()) return part([&](uint32_t node) { return nodes_.Test(node); });
    return part([&](uint32_t node) { return IsAllowed(node); });
  }

  // The allowed neighbours of a node, and links of others on their way.
  void MeetNeighbours(uint32_t node, Step& step) {
    const uint32_t* links = graph_.Neighbours(node, 0);
    step.allowed = Part(links, batch_ + count_, step.passed);
    Keep(step.allowed);
    const size_t others = links[0] - step.allowed;
    step.unseen = 0;
    for (size_t i = 0; i < others; ++i) {
      const uint32_t other = step.passed[i];
      step.passed[step.unseen] = other;
      step.unseen += visited_.Has(other) ? 0 : 1;
    }
    if (step.allowed >= kAllowedEnough) step.unseen = 0;
    for (size_t i = 0; i < std::min(kLinksAhead, step.unseen); ++i) {
      graph_.PrefetchLinks(step.passed[i]);
    }
  }

  // The allowed nodes behind neighbours that are not, until they are enough; behind each but once
  // in a walk.
  void LookBehind(Step& step) {
    for (size_t p = 0; p < step.unseen && step.allowed < kAllowedWanted; ++p) {
      if (p + kLinksAhead < step.unseen) graph_.PrefetchLinks(step.passed[p + kLinksAhead]);
      if (!visited_.Visit(step.passed[p])) continue;
      const uint32_t* links = graph_.Neighbours(step.passed[p], 0);
      const size_t allowed = Part(links, batch_ + count_, behind_);
      Keep(allowed);
      step.allowed += allowed;
    }
  }

  void Take(uint32_t node) {
    if (!visited_.Visit(node)) return;
    graph_.Prefetch(node);
    batch_[count_++] = node;
  }
  // Of the allowed nodes at the end of the batch those not met before.
  void Keep(size_t allowed) {
    uint32_t* to = batch_ + count_;
    size_t kept = 0;
    for (size_t i = 0; i < allowed; ++i) {
      const uint32_t node = to[i];
      to[kept] = node;
      kept += visited_.Visit(node) ? 1 : 0;
    }
    for (size_t i = 0; i < kept; ++i) graph_.Prefetch(to[i]);
    count_ += kept;
  }

  const GraphView& graph_;
  Scorer& scorer_;
  const BitsetView allowed_;  // By rows,
  const BitsetView nodes_;    // and by nodes, where that is known.
  WalkScratch& scratch_;
  VisitedSet& visited_;
  uint32_t* const batch_;   // What a step has come to, count_ nodes,
  uint32_t* const behind_;  // and what is not allowed behind neighbours, which nobody looks at.
  std::array<Step, kNodesAStep> steps_;
  size_t count_ = 0;
  size_t distances_ = 0;
};

}  // namespace

Result<bool> WalkAllowed(Context& ctx, const GraphView& graph, Scorer& scorer,
                         const AllowedGoal& goal, WalkScratch& scratch) {
  AllowedWalk walk(graph, scorer, goal, scratch);
  scratch.beam.Begin(goal.ef);
  walk.CollectSeeds(goal.seeds);
  walk.MeetBatch();
  for (uint32_t near : goal.around) {
    walk.CollectAround(near);
    walk.MeetBatch();
  }
  for (int steps = 1;; ++steps) {
    uint32_t nodes[kNodesAStep];
    size_t count = 0;
    while (count < kNodesAStep && scratch.beam.Next(nodes[count])) {
      graph.PrefetchLinks(nodes[count++]);
    }
    if (count == 0) return true;
    if (walk.distances() > goal.distances_max) return false;
    if (steps % kStepsPerCheck == 0) TRY(ctx.CheckAlive());
    walk.CollectFrom(nodes, count);
    walk.MeetBatch();
  }
}

}  // namespace elanus::index
