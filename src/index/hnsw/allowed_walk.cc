// Walks over those nodes of a finished graph that a filter allows.
#include "index/hnsw/allowed_walk.h"

#include <algorithm>
#include <bit>

namespace elanus::index {
namespace {

constexpr int kExpansionsPerCheck = 64;  // About 100 us of work between looks at the deadline.
// A step with so many allowed neighbours looks no farther; one with fewer looks behind the others
// until it has the second number.
constexpr size_t kAllowedEnough = 16;
constexpr size_t kAllowedWanted = 24;
// Neighbours whose links are on their way into the cache while others are looked behind.
constexpr size_t kLinksAhead = 4;
// Where so many times fewer neighbours of the entry are allowed than of all nodes, a walk begins
// around as many of the nearest nodes, allowed or not.
constexpr double kThinness = 4;
constexpr size_t kNearEntries = 16;
// Allowed nodes from all over the graph that a walk begins at.
constexpr size_t kSpreadEntries = 128;

// A step writes up to so many numbers, one past what it keeps.
uint32_t* Room(std::vector<uint32_t>& numbers, size_t count) {
  if (numbers.size() < count) numbers.resize(count);
  return numbers.data();
}

// Whether far fewer nodes around `entry` are allowed than elsewhere: then the few that are may be
// out of reach of a step from there.
bool IsThinAround(const GraphView& graph, uint32_t entry, const AllowedGoal& goal) {
  const uint32_t* links = graph.Neighbours(entry, 0);
  const auto allowed = std::count_if(links + 1, links + 1 + links[0], [&](uint32_t node) {
    return goal.allowed.Test(graph.rows[node]);
  });
  return kThinness * static_cast<double>(allowed) < goal.share * links[0];
}

class AllowedWalk {
 public:
  AllowedWalk(const GraphView& graph, Scorer& scorer, BitsetView allowed, WalkScratch& scratch)
      : graph_(graph),
        scorer_(scorer),
        allowed_(allowed),
        scratch_(scratch),
        visited_(ThreadVisitedSet()),
        batch_(Room(scratch.batch, kSpreadEntries + kAllowedWanted + 4 * size_t{graph.m} + 2)),
        passed_(Room(scratch.passed, 2 * size_t{graph.m} + 1)) {
    visited_.Begin(graph.nodes);
  }

  // Allowed nodes of all parts of the segment.
  void CollectSpread() {
    Begin();
    const size_t words = allowed_.word_count();
    const size_t stride = (words + kSpreadEntries - 1) / kSpreadEntries;
    for (size_t begin = 0; begin < words; begin += stride) {
      const size_t end = std::min(words, begin + stride);
      size_t at = begin;
      while (at < end && allowed_.words[at] == 0) ++at;
      if (at == end) continue;
      const size_t row = at * 64 + static_cast<size_t>(std::countr_zero(allowed_.words[at]));
      Take(graph_.node_of[row]);
    }
  }

  // What a step from `node` meets.
  void CollectFrom(uint32_t node) {
    const uint32_t* links = graph_.Neighbours(node, 0);
    Begin();
    size_t others = 0;
    for (uint32_t i = 1; i <= links[0]; ++i) {
      passed_[others] = links[i];
      others += IsAllowed(links[i]) ? 0 : 1;
    }
    TakeAllowed(links);
    if (degree_ < kAllowedEnough) CollectBehind(others);
  }

  // What the walk begins with around `entry`.
  void CollectAround(uint32_t entry) {
    CollectFrom(entry);
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
  bool IsAllowed(uint32_t node) const { return allowed_.Test(graph_.rows[node]); }
  void Begin() {
    count_ = 0;
    degree_ = 0;
  }
  void Take(uint32_t node) {
    if (!visited_.Visit(node)) return;
    graph_.Prefetch(node);
    batch_[count_++] = node;
  }
  // The allowed ones of a node's links. Without branches, which chance would mispredict: this is
  // most of what a walk under a narrow filter does.
  void TakeAllowed(const uint32_t* links) {
    uint32_t* to = batch_ + count_;
    size_t allowed = 0;
    for (uint32_t i = 1; i <= links[0]; ++i) {
      to[allowed] = links[i];
      allowed += IsAllowed(links[i]) ? 1 : 0;
    }
    degree_ += allowed;
    size_t kept = 0;
    for (size_t i = 0; i < allowed; ++i) {
      const uint32_t node = to[i];
      to[kept] = node;
      kept += visited_.Visit(node) ? 1 : 0;
    }
    for (size_t i = 0; i < kept; ++i) graph_.Prefetch(to[i]);
    count_ += kept;
  }
  // The allowed nodes behind the first `others` of passed_; behind each but once in a walk.
  void CollectBehind(size_t others) {
    for (size_t i = 0; i < std::min(kLinksAhead, others); ++i) graph_.PrefetchLinks(passed_[i]);
    for (size_t p = 0; p < others && degree_ < kAllowedWanted; ++p) {
      if (p + kLinksAhead < others) graph_.PrefetchLinks(passed_[p + kLinksAhead]);
      if (visited_.Visit(passed_[p])) TakeAllowed(graph_.Neighbours(passed_[p], 0));
    }
  }

  const GraphView& graph_;
  Scorer& scorer_;
  const BitsetView allowed_;
  WalkScratch& scratch_;
  VisitedSet& visited_;
  uint32_t* const batch_;   // What a step has come to, count_ nodes,
  uint32_t* const passed_;  // and neighbours that the filter does not allow.
  size_t count_ = 0;
  size_t degree_ = 0;  // Allowed nodes that the step at hand has come to.
  size_t distances_ = 0;
};

}  // namespace

Result<bool> WalkAllowed(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry,
                         const AllowedGoal& goal, WalkScratch& scratch) {
  std::vector<uint32_t> entries = {entry};
  if (IsThinAround(graph, entry, goal)) {
    TRY(WalkBeam(ctx, graph, scorer, entry, kNearEntries, scratch));
    entries.clear();
    for (size_t i = 0; i < scratch.beam.size(); ++i) entries.push_back(scratch.beam.at(i).node);
  }
  AllowedWalk walk(graph, scorer, goal.allowed, scratch);
  scratch.beam.Begin(goal.ef);
  walk.CollectSpread();
  walk.MeetBatch();
  for (uint32_t near : entries) {
    walk.CollectAround(near);
    walk.MeetBatch();
  }
  uint32_t node;
  for (int expansions = 1; scratch.beam.Next(node); ++expansions) {
    if (walk.distances() > goal.distances_max) return false;
    if (expansions % kExpansionsPerCheck == 0) TRY(ctx.CheckAlive());
    walk.CollectFrom(node);
    walk.MeetBatch();
  }
  return true;
}

}  // namespace elanus::index
