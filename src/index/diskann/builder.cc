// Building a Vamana graph. Invariants:
// 1. A slot's count and neighbours change only under its node's lock; readers copy them under that
// lock.
// 2. Links added to a node while it is pruned stay: its slot takes them after its own.
#include "index/diskann/builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

namespace elanus::index {
namespace {

constexpr uint32_t kNodesPerTask = 64;
constexpr float kLastAlpha = 1.2f;

// splitmix64.
uint64_t Scramble(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

BuildSpace::BuildSpace(VectorBlock rows, bool is_l2)
    : rows_(rows), is_l2_(is_l2), distance_(is_l2, rows.dim), norms_(is_l2 ? 0 : rows.rows) {
  for (size_t i = 0; i < norms_.size(); ++i) {
    norms_[i] = std::sqrt(simd::Best().ip(rows.row(i), rows.row(i), rows.dim));
  }
}

uint32_t BuildSpace::Medoid() const {
  std::vector<double> sums(rows_.dim, 0.0);
  for (size_t i = 0; i < rows_.rows; ++i) {
    for (uint32_t d = 0; d < rows_.dim; ++d) sums[d] += rows_.row(i)[d];
  }
  std::vector<float> mean(rows_.dim);
  for (uint32_t d = 0; d < rows_.dim; ++d) {
    mean[d] = static_cast<float>(sums[d] / static_cast<double>(rows_.rows));
  }
  uint32_t nearest = 0;
  float least = std::numeric_limits<float>::infinity();
  for (uint32_t i = 0; i < nodes(); ++i) {
    const float square = simd::Best().l2(mean.data(), rows_.row(i), rows_.dim);
    if (square >= least) continue;
    least = square;
    nearest = i;
  }
  return nearest;
}

VamanaBuilder::VamanaBuilder(const BuildSpace& space, uint32_t degree, uint32_t list_size)
    : space_(space),
      degree_(degree),
      capacity_(degree + degree * 3 / 10 + 1),
      list_size_(std::min(list_size, std::max(space.nodes(), 1u))),
      order_(space.nodes()),
      links_(size_t{space.nodes()} * (1 + capacity_), 0),
      locks_(new SpinLock[std::max(space.nodes(), 1u)]) {
  // Rows often come in some order; nodes must not.
  std::iota(order_.begin(), order_.end(), 0u);
  for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[Scramble(i) % i]);
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

void VamanaBuilder::Keys(uint32_t node, const std::vector<uint32_t>& others,
                         std::vector<float>& keys) const {
  keys.resize(others.size());
  size_t i = 0;
  for (; i + 4 <= others.size(); i += 4) space_.Four(node, &others[i], &keys[i]);
  for (; i < others.size(); ++i) keys[i] = space_.One(node, others[i]);
}

// The nodes expanded on the way to `node`, into scratch.candidates: those far from it are what long
// links are made of.
void VamanaBuilder::SearchFor(uint32_t node, Scratch& scratch) {
  scratch.visited.Begin(space_.nodes());
  scratch.beam.Begin(list_size_);
  scratch.candidates.clear();
  scratch.visited.Visit(entry_);
  scratch.beam.Insert(space_.One(node, entry_), entry_);
  uint32_t at;
  while (scratch.beam.Next(at)) {
    if (at != node) scratch.candidates.push_back({space_.One(node, at), at});
    scratch.batch.clear();
    {
      std::lock_guard<SpinLock> lock(locks_[at]);
      const uint32_t* slot = Slot(at);
      scratch.links.assign(slot + 1, slot + 1 + slot[0]);
    }
    for (uint32_t other : scratch.links) scratch.visited.Prefetch(other);
    for (uint32_t other : scratch.links) {
      if (!scratch.visited.Visit(other)) continue;
      space_.Prefetch(other);
      scratch.batch.push_back(other);
    }
    Keys(node, scratch.batch, scratch.keys);
    for (size_t i = 0; i < scratch.batch.size(); ++i) {
      scratch.beam.Insert(scratch.keys[i], scratch.batch[i]);
    }
  }
}

// RobustPrune of the paper: the nearest candidate is kept and strikes out all that are alpha times
// nearer to it than to the node.
void VamanaBuilder::Prune(uint32_t node, std::vector<Neighbour>& candidates, float alpha,
                          std::vector<uint32_t>& kept) const {
  std::sort(candidates.begin(), candidates.end());
  kept.clear();
  uint32_t last = UINT32_MAX;
  for (const Neighbour& candidate : candidates) {
    if (kept.size() == degree_) break;
    if (candidate.node == last) continue;  // Met twice.
    last = candidate.node;
    const float strike = space_.StrikeKey(node, candidate.node, candidate.key, alpha);
    bool keep = true;
    size_t i = 0;
    for (; keep && i + 4 <= kept.size(); i += 4) {
      float keys[4];
      space_.Four(candidate.node, &kept[i], keys);
      keep = std::min(std::min(keys[0], keys[1]), std::min(keys[2], keys[3])) > strike;
    }
    for (; keep && i < kept.size(); ++i) keep = space_.One(candidate.node, kept[i]) > strike;
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
  Keys(node, scratch.links, scratch.keys);
  for (size_t i = 0; i < scratch.links.size(); ++i) {
    scratch.candidates.push_back({scratch.keys[i], scratch.links[i]});
  }
  Prune(node, scratch.candidates, alpha, scratch.kept);
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
  scratch.batch.assign(slot + 1, slot + 1 + slot[0]);
  Keys(node, scratch.batch, scratch.keys);
  scratch.other_candidates.clear();
  for (size_t i = 0; i < scratch.batch.size(); ++i) {
    scratch.other_candidates.push_back({scratch.keys[i], scratch.batch[i]});
  }
  Prune(node, scratch.other_candidates, alpha, scratch.other_kept);
  slot[0] = static_cast<uint32_t>(scratch.other_kept.size());
  std::copy(scratch.other_kept.begin(), scratch.other_kept.end(), slot + 1);
}

}  // namespace elanus::index
