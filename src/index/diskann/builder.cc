// Building a Vamana graph. Invariants:
// 1. A slot's count and neighbours change only under its node's lock; readers copy them under that
// lock.
// 2. Links added to a node while it is pruned stay: its slot takes them after its own.
#include "index/diskann/builder.h"

#include <algorithm>
#include <mutex>
#include <numeric>

#include "base/prefetch.h"
#include "index/split_mix.h"

namespace elanus::index {
namespace {

constexpr uint32_t kNodesPerTask = 64;
constexpr float kLastAlpha = 1.2f;

// Links that a node may have for a while.
uint32_t CapacityFor(uint32_t degree) { return degree + degree * 3 / 10 + 1; }

}  // namespace

size_t VamanaBuilder::NodeBytes(uint32_t degree) {
  return (1 + CapacityFor(degree)) * sizeof(uint32_t) + sizeof(float) + sizeof(uint32_t) +
         sizeof(SpinLock);
}

VamanaBuilder::VamanaBuilder(const BuildSpace& space, uint32_t degree, uint32_t list_size)
    : space_(space),
      degree_(degree),
      capacity_(CapacityFor(degree)),
      list_size_(std::min(list_size, std::max(space.nodes(), 1u))),
      order_(space.nodes()),
      links_(size_t{space.nodes()} * (1 + capacity_), 0),
      locks_(new SpinLock[std::max(space.nodes(), 1u)]) {
  if (!space.is_l2()) {
    lengths_.resize(space.nodes());
    for (uint32_t node = 0; node < space.nodes(); ++node) lengths_[node] = space.Length(node);
  }
  // Rows often come in some order; nodes must not.
  std::iota(order_.begin(), order_.end(), 0u);
  for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[SplitMix(i) % i]);
}

Status VamanaBuilder::Build(Context& ctx, int passes, const BuildOptions& options) {
  TRY(ctx.CheckAlive());
  if (space_.nodes() == 0) return {};
  entry_ = space_.Medoid();
  for (int pass = 0; pass < passes; ++pass) {
    const float alpha = pass + 1 == passes ? kLastAlpha : 1.0f;
    TRY(RunPass(ctx, alpha, static_cast<double>(pass) / passes, 1.0 / passes, options));
  }
  thread_local Scratch scratch;
  for (uint32_t node = 0; node < space_.nodes(); ++node) {
    if (node % kNodesPerTask == 0) TRY(ctx.CheckAlive());
    if (Slot(node)[0] > degree_) Shrink(node, Slot(node), kLastAlpha, scratch);
  }
  return ReachAll(ctx, scratch);
}

// Pruning may take the last link to a node: it gets one from the nearest node that is reached.
Status VamanaBuilder::ReachAll(Context& ctx, Scratch& scratch) {
  std::vector<uint8_t> reached(space_.nodes(), 0);
  std::vector<uint32_t> queue;
  const auto spread_from = [&](uint32_t start) {
    reached[start] = 1;
    queue.assign(1, start);
    while (!queue.empty()) {
      const uint32_t node = queue.back();
      queue.pop_back();
      for (uint32_t other : Links(node)) {
        if (reached[other]) continue;
        reached[other] = 1;
        queue.push_back(other);
      }
    }
  };
  spread_from(entry_);
  for (uint32_t node : order_) {
    if (reached[node]) continue;
    TRY(ctx.CheckAlive());
    SearchFor(node, scratch);
    LinkFrom(std::min_element(scratch.candidates.begin(), scratch.candidates.end())->node, node);
    spread_from(node);
  }
  return {};
}

// Links `nearest`, which is reached, to `node`, which is not. A full slot gives up its last link,
// and the node takes that over: whatever was reached still is.
void VamanaBuilder::LinkFrom(uint32_t nearest, uint32_t node) {
  uint32_t* from = Slot(nearest);
  if (from[0] < degree_) {
    from[1 + from[0]++] = node;
    return;
  }
  const uint32_t passed_on = from[from[0]];
  from[from[0]] = node;
  uint32_t* slot = Slot(node);
  if (std::find(slot + 1, slot + 1 + slot[0], passed_on) != slot + 1 + slot[0]) return;
  if (slot[0] < degree_) ++slot[0];
  slot[slot[0]] = passed_on;
}

Status VamanaBuilder::RunPass(Context& ctx, float alpha, double before, double share,
                              const BuildOptions& options) {
  std::atomic<uint32_t> done{0};
  const uint32_t nodes = space_.nodes();
  const auto run = [&](size_t task) -> Status {
    TRY(ctx.CheckAlive());
    thread_local Scratch scratch;
    const uint32_t begin = static_cast<uint32_t>(task) * kNodesPerTask;
    const uint32_t end = std::min(nodes, begin + kNodesPerTask);
    for (uint32_t i = begin; i < end; ++i) Improve(order_[i], alpha, scratch);
    const uint32_t total = done.fetch_add(end - begin) + end - begin;
    if (options.on_progress) options.on_progress(before + share * total / nodes);
    return {};
  };
  const uint32_t tasks = (nodes + kNodesPerTask - 1) / kNodesPerTask;
  if (options.pool != nullptr) return options.pool->ParallelFor(ctx, tasks, run);
  for (uint32_t task = 0; task < tasks; ++task) TRY(run(task));
  return {};
}

// The keys of others from a node, into scratch.keys; the node stays in scratch.node.
void VamanaBuilder::Keys(uint32_t node, const std::vector<uint32_t>& others,
                         Scratch& scratch) const {
  space_.Start(node, scratch.node);
  scratch.keys.resize(others.size());
  space_.Keys(scratch.node, others.data(), others.size(), scratch.keys.data());
}

// The nodes expanded on the way to `node`, into scratch.candidates: those far from it are what long
// links are made of.
void VamanaBuilder::SearchFor(uint32_t node, Scratch& scratch) {
  scratch.visited.Begin(space_.nodes());
  scratch.beam.Begin(list_size_);
  scratch.candidates.clear();
  scratch.visited.Visit(entry_);
  space_.Start(node, scratch.node);
  scratch.beam.Insert(space_.One(scratch.node, entry_), entry_);
  const auto collect = [&](uint32_t at, std::vector<uint32_t>& batch) {
    if (at != node) scratch.candidates.push_back({space_.One(scratch.node, at), at});
    {
      std::lock_guard<SpinLock> lock(locks_[at]);
      const uint32_t* slot = Slot(at);
      scratch.links.assign(slot + 1, slot + 1 + slot[0]);
    }
    for (uint32_t other : scratch.links) scratch.visited.Prefetch(other);
    for (uint32_t other : scratch.links) {
      if (!scratch.visited.Visit(other)) continue;
      space_.Prefetch(other);
      batch.push_back(other);
    }
  };
  const auto meet = [&](const std::vector<uint32_t>& batch) {
    scratch.keys.resize(batch.size());
    space_.Keys(scratch.node, batch.data(), batch.size(), scratch.keys.data());
    for (size_t i = 0; i < batch.size(); ++i) scratch.beam.Insert(scratch.keys[i], batch[i]);
  };
  const auto ask_for_links = [&](uint32_t at) {
    PrefetchBytes(Slot(at), (1 + size_t{degree_}) * sizeof(uint32_t));
  };
  WalkAhead(scratch.beam, scratch.batches, ask_for_links, collect, meet, [](int) { return true; });
}

// RobustPrune of the paper: the nearest candidate is kept and strikes out all that are alpha times
// nearer to it than to the node.
void VamanaBuilder::Prune(uint32_t node, std::vector<Neighbour>& candidates, float alpha,
                          BuildSpace::Origin& origin, std::vector<uint32_t>& kept) const {
  std::sort(candidates.begin(), candidates.end());
  kept.clear();
  uint32_t last = UINT32_MAX;
  for (const Neighbour& candidate : candidates) {
    if (kept.size() == degree_) break;
    if (candidate.node == last) continue;  // Met twice.
    last = candidate.node;
    const float strike = StrikeKey(node, candidate.node, candidate.key, alpha);
    space_.Start(candidate.node, origin);
    bool keep = true;
    size_t i = 0;
    for (; keep && i + 4 <= kept.size(); i += 4) {
      float keys[4];
      space_.Four(origin, &kept[i], keys);
      keep = std::min(std::min(keys[0], keys[1]), std::min(keys[2], keys[3])) > strike;
    }
    for (; keep && i < kept.size(); ++i) keep = space_.One(origin, kept[i]) > strike;
    if (keep) kept.push_back(candidate.node);
  }
}

void VamanaBuilder::Improve(uint32_t node, float alpha, Scratch& scratch) {
  SearchFor(node, scratch);
  {
    std::lock_guard<SpinLock> lock(locks_[node]);
    const uint32_t* slot = Slot(node);
    scratch.links.assign(slot + 1, slot + 1 + slot[0]);
  }
  Keys(node, scratch.links, scratch);
  for (size_t i = 0; i < scratch.links.size(); ++i) {
    scratch.candidates.push_back({scratch.keys[i], scratch.links[i]});
  }
  Prune(node, scratch.candidates, alpha, scratch.pruned, scratch.kept);
  Replace(node, scratch);
  for (uint32_t other : scratch.kept) LinkBack(other, node, alpha, scratch);
}

void VamanaBuilder::Replace(uint32_t node, const Scratch& scratch) {
  const auto has = [](const std::vector<uint32_t>& nodes, uint32_t other) {
    return std::find(nodes.begin(), nodes.end(), other) != nodes.end();
  };
  std::lock_guard<SpinLock> lock(locks_[node]);
  uint32_t* slot = Slot(node);
  const std::vector<uint32_t> now(slot + 1, slot + 1 + slot[0]);
  slot[0] = static_cast<uint32_t>(scratch.kept.size());
  std::copy(scratch.kept.begin(), scratch.kept.end(), slot + 1);
  for (uint32_t other : now) {
    if (slot[0] == capacity_) break;
    if (has(scratch.links, other) || has(scratch.kept, other)) continue;
    slot[1 + slot[0]++] = other;  // Invariant 2.
  }
}

void VamanaBuilder::LinkBack(uint32_t from, uint32_t to, float alpha, Scratch& scratch) {
  std::lock_guard<SpinLock> lock(locks_[from]);
  uint32_t* slot = Slot(from);
  if (std::find(slot + 1, slot + 1 + slot[0], to) != slot + 1 + slot[0]) return;
  if (slot[0] == capacity_) Shrink(from, slot, alpha, scratch);
  slot[1 + slot[0]++] = to;
}

// Prunes a slot to degree_ links. Its lock is held, or nobody else is there.
void VamanaBuilder::Shrink(uint32_t node, uint32_t* slot, float alpha, Scratch& scratch) {
  std::vector<uint32_t>& linked = scratch.batches.here;
  linked.assign(slot + 1, slot + 1 + slot[0]);
  Keys(node, linked, scratch);
  scratch.other_candidates.clear();
  for (size_t i = 0; i < linked.size(); ++i) {
    scratch.other_candidates.push_back({scratch.keys[i], linked[i]});
  }
  Prune(node, scratch.other_candidates, alpha, scratch.pruned, scratch.other_kept);
  slot[0] = static_cast<uint32_t>(scratch.other_kept.size());
  std::copy(scratch.other_kept.begin(), scratch.other_kept.end(), slot + 1);
}

}  // namespace elanus::index
