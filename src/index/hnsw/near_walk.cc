// Walks to the query through all nodes and takes the allowed ones around it.
#include "index/hnsw/near_walk.h"

#include <algorithm>
#include <utility>

namespace elanus::index {
namespace {

constexpr int kStepsPerCheck = 64;  // About 100 us of work between looks at the deadline.
// After so many steps the nodes met tell whether there are allowed ones around: hardly, with a
// smaller share of them than this, or than so much of the filter's where that is narrow.
constexpr int kStepsToLook = 12;
constexpr double kThinShare = 0.03;
constexpr double kThinOfShare = 0.25;
// Nodes whose links are on their way into the cache while others are followed, and how many are
// followed before what they led to is scored.
constexpr size_t kLinksAhead = 8;
constexpr size_t kNodesAtOnce = 4;

class NearWalk {
 public:
  NearWalk(const GraphView& graph, Scorer& scorer, const NearGoal& goal, WalkScratch& scratch)
      : graph_(graph),
        scorer_(scorer),
        goal_(goal),
        scratch_(scratch),
        visited_(ThreadVisitedSet()) {
    visited_.Begin(graph.nodes);
    const size_t room = kNodesAtOnce * (2 * size_t{graph.m} + 1);
    if (scratch.batch.size() < room) scratch.batch.resize(room);
    if (scratch.keys.size() < room) scratch.keys.resize(room);
    scratch.met.clear();
  }

  Result<bool> Run(Context& ctx, uint32_t entry) {
    scratch_.beam.Begin(goal_.ef);
    visited_.Visit(entry);
    MeetAll({entry});
    Status alive;
    const bool to_end = WalkAhead(
        scratch_.beam, scratch_.batches, [&](uint32_t node) { graph_.PrefetchLinks(node); },
        [&](uint32_t node, std::vector<uint32_t>& batch) { CollectNew(node, batch); },
        [&](const std::vector<uint32_t>& batch) { MeetAll(batch); },
        [&](int step) {
          if (step % kStepsPerCheck == 0) alive = ctx.CheckAlive();
          return alive.ok() && (step != kStepsToLook || !IsThin());
        });
    TRY(alive);
    if (!to_end) return false;
    scratch_.found.Begin(goal_.wanted);
    if (goal_.least_density > 0 && IsSparse()) return false;
    return TakeAllowed(ctx);
  }

 private:
  bool IsAllowed(uint32_t node) const {
    return goal_.nodes.empty() ? goal_.allowed.Test(graph_.rows[node]) : goal_.nodes.Test(node);
  }

  bool IsThin() const {
    const auto allowed = std::count_if(scratch_.met.begin(), scratch_.met.end(),
                                       [&](const Neighbour& met) { return IsAllowed(met.node); });
    const double thin = std::min(kThinShare, kThinOfShare * goal_.share);
    return static_cast<double>(allowed) < thin * static_cast<double>(scratch_.met.size());
  }

  bool IsSparse() const {
    const size_t count = scratch_.beam.size();
    size_t allowed = 0;
    for (size_t i = 0; i < count; ++i) allowed += IsAllowed(scratch_.beam.at(i).node) ? 1 : 0;
    return static_cast<double>(allowed) <
           goal_.least_density * goal_.share * static_cast<double>(count);
  }

  // Appends the neighbours of `node` not met before, their codes on the way into the cache.
  void CollectNew(uint32_t node, std::vector<uint32_t>& batch) {
    const uint32_t* links = graph_.Neighbours(node, 0);
    for (uint32_t i = 1; i <= links[0]; ++i) visited_.Prefetch(links[i]);
    for (uint32_t i = 1; i <= links[0]; ++i) {
      if (!visited_.Visit(links[i])) continue;
      graph_.Prefetch(links[i]);
      batch.push_back(links[i]);
    }
  }

  void MeetAll(const std::vector<uint32_t>& batch) {
    scorer_.Score(batch.data(), batch.size(), scratch_.keys.data());
    for (size_t i = 0; i < batch.size(); ++i) {
      scratch_.beam.Insert(scratch_.keys[i], batch[i]);
      scratch_.met.push_back({scratch_.keys[i], batch[i]});
    }
  }

  Result<bool> TakeAllowed(Context& ctx) {
    // Nodes in the beam have been expanded, and with them all that are as near. They are in order,
    // so that what they say of the bound spares most others the question whether they are allowed.
    const size_t count = scratch_.beam.size();
    const float expanded = scratch_.beam.at(count - 1).key;
    for (size_t i = 0; i < count; ++i) {
      const Neighbour near = scratch_.beam.at(i);
      if (IsAllowed(near.node)) scratch_.found.Insert(near.key, near.node);
    }
    KeepOpen(expanded);
    for (size_t i = scratch_.met.size(); i-- > 0;) {  // Those met last are the nearest.
      const Neighbour met = scratch_.met[i];
      if (IsAllowed(met.node)) scratch_.found.Insert(met.key, met.node);
    }
    KeepOpen(expanded);
    // What these lead to goes to the end.
    for (size_t i = 0; i < scratch_.met.size();) {
      TRY(ctx.CheckAlive());
      i = Follow(i);
    }
    std::swap(scratch_.beam, scratch_.found);
    return scratch_.beam.size() == goal_.wanted;
  }

  // Of the nodes met, those that are not expanded and may lead to nearer ones than are found.
  void KeepOpen(float expanded) {
    const float bound = scratch_.found.bound();
    size_t open = 0;
    for (const Neighbour met : scratch_.met) {
      scratch_.met[open] = met;
      open += met.key > expanded && met.key <= bound ? 1 : 0;
    }
    scratch_.met.resize(open);
  }

  // Follows some of the nodes met from place `begin` on; returns where to go on.
  size_t Follow(size_t begin) {
    size_t count = 0;
    size_t followed = 0;
    size_t at = begin;
    for (; at < scratch_.met.size() && followed < kNodesAtOnce; ++at) {
      if (at + kLinksAhead < scratch_.met.size()) {
        graph_.PrefetchLinks(scratch_.met[at + kLinksAhead].node);
      }
      if (scratch_.met[at].key > scratch_.found.bound()) continue;
      ++followed;
      count += CollectAllowed(scratch_.met[at].node, scratch_.batch.data() + count);
    }
    scorer_.Score(scratch_.batch.data(), count, scratch_.keys.data());
    for (size_t i = 0; i < count; ++i) {
      if (scratch_.keys[i] >= scratch_.found.bound()) continue;
      scratch_.found.Insert(scratch_.keys[i], scratch_.batch[i]);
      scratch_.met.push_back({scratch_.keys[i], scratch_.batch[i]});
    }
    return at;
  }

  // The allowed neighbours of `node` not met before, to `to`, which has room for all. Without
  // branches, which chance would mispredict.
  size_t CollectAllowed(uint32_t node, uint32_t* to) {
    const uint32_t* links = graph_.Neighbours(node, 0);
    size_t fresh = 0;
    for (uint32_t i = 1; i <= links[0]; ++i) {
      to[fresh] = links[i];
      fresh += visited_.Visit(links[i]) ? 1 : 0;
    }
    const auto keep = [&](auto is_allowed) {
      size_t count = 0;
      for (size_t i = 0; i < fresh; ++i) {
        const uint32_t other = to[i];
        to[count] = other;
        count += is_allowed(other) ? 1 : 0;
      }
      return count;
    };
    const size_t count =
        goal_.nodes.empty()
            ? keep([&](uint32_t other) { return goal_.allowed.Test(graph_.rows[other]); })
            : keep([&](uint32_t other) { return goal_.nodes.Test(other); });
    for (size_t i = 0; i < count; ++i) graph_.Prefetch(to[i]);
    return count;
  }

  const GraphView& graph_;
  Scorer& scorer_;
  const NearGoal goal_;
  WalkScratch& scratch_;
  VisitedSet& visited_;
};

}  // namespace

Result<bool> WalkNear(Context& ctx, const GraphView& graph, Scorer& scorer, uint32_t entry,
                      const NearGoal& goal, WalkScratch& scratch) {
  return NearWalk(graph, scorer, goal, scratch).Run(ctx, entry);
}

}  // namespace elanus::index
