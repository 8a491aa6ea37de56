// Building the graph. Invariants:
// 1. A slot's count and neighbours change only under its node's lock; readers copy them under that
// lock.
// 2. A node is linked once it has searched all its levels, from level 0 up: whoever reaches it on a
// level finds its links on every level below. (Linked from the top down, a walk that came by
// between two levels would see nothing but this node below, and what it inserts would be cut off.)
// 3. Levels are drawn from the node's number, so they do not depend on the number of threads.
#include "index/hnsw/builder.h"

#include <algorithm>
#include <cmath>

#include "base/prefetch.h"
#include "index/binary/bit_space.h"
#include "index/split_mix.h"

namespace elanus::index {
namespace {

constexpr uint32_t kNodesPerTask = 64;
constexpr uint32_t kLevelMax = 32;

// A uniform draw above 0 and below 1.
double Uniform(uint64_t x) {
  return (static_cast<double>(SplitMix(x) >> 11) + 0.5) / 9007199254740992.0;
}

}  // namespace

template <class Space>
GraphBuilder<Space>::GraphBuilder(const Space& space, uint32_t m, uint32_t ef_construction)
    : space_(space),
      nodes_(space.nodes()),
      m_(m),
      // A beam wider than the graph finds no more.
      ef_construction_(std::min(ef_construction, std::max(nodes_, 1u))),
      levels_(nodes_),
      links_(size_t{nodes_} * (1 + 2 * m), 0),
      upper_start_(nodes_, 0),
      rows_(nodes_),
      locks_(new SpinLock[std::max(nodes_, 1u)]) {
  const double scale = 1.0 / std::log(static_cast<double>(m));
  uint32_t slots = 0;
  for (uint32_t node = 0; node < nodes_; ++node) {
    const double level = -std::log(Uniform(node)) * scale;
    levels_[node] = static_cast<uint8_t>(std::min<double>(level, kLevelMax));
    upper_start_[node] = slots;
    slots += levels_[node];
    rows_[node] = node;
  }
  upper_.assign(size_t{slots} * (1 + m), 0);
}

template <class Space>
uint32_t* GraphBuilder<Space>::Slot(uint32_t node, uint32_t level) {
  if (level == 0) return links_.data() + size_t{node} * (1 + 2 * m_);
  return upper_.data() + (size_t{upper_start_[node]} + level - 1) * (1 + m_);
}
template <class Space>
const uint32_t* GraphBuilder<Space>::Slot(uint32_t node, uint32_t level) const {
  return const_cast<GraphBuilder*>(this)->Slot(node, level);
}

template <class Space>
GraphView GraphBuilder<Space>::view() const {
  return {.nodes = nodes_,
          .m = m_,
          .entry = entry_.load(),
          .top_level = top_level_.load(),
          .rows = rows_.data(),
          .links = links_.data(),
          .upper_start = upper_start_.data(),
          .upper = upper_.data()};
}

template <class Space>
Status GraphBuilder<Space>::Build(Context& ctx, const BuildOptions& options) {
  if (nodes_ == 0) return {};
  entry_ = 0;
  top_level_ = levels_[0];
  std::atomic<uint32_t> done{1};
  const uint32_t tasks = (nodes_ - 1 + kNodesPerTask - 1) / kNodesPerTask;
  const auto run = [&](size_t task) -> Status {
    TRY(ctx.CheckAlive());
    Scratch scratch(space_);
    const uint32_t begin = 1 + static_cast<uint32_t>(task) * kNodesPerTask;
    const uint32_t end = std::min(nodes_, begin + kNodesPerTask);
    for (uint32_t node = begin; node < end; ++node) Insert(node, scratch);
    const uint32_t total = done.fetch_add(end - begin) + end - begin;
    if (options.on_progress) options.on_progress(static_cast<double>(total) / nodes_);
    return {};
  };
  if (options.pool != nullptr) return options.pool->ParallelFor(ctx, tasks, run);
  for (uint32_t task = 0; task < tasks; ++task) TRY(run(task));
  return {};
}

template <class Space>
void GraphBuilder<Space>::ReadLinks(uint32_t node, uint32_t level,
                                    std::vector<uint32_t>& to) const {
  std::lock_guard lock(locks_[node]);
  const uint32_t* slot = Slot(node, level);
  to.assign(slot + 1, slot + 1 + slot[0]);
}

template <class Space>
uint32_t GraphBuilder<Space>::Descend(uint32_t entry, uint32_t from_level, uint32_t to_level,
                                      Scratch& scratch) const {
  float key = space_.One(scratch.node, entry);
  for (uint32_t level = from_level; level > to_level; --level) {
    bool moved = true;
    while (moved) {
      moved = false;
      ReadLinks(entry, level, scratch.links);
      scratch.keys.resize(scratch.links.size());
      space_.Keys(scratch.node, scratch.links.data(), scratch.links.size(), scratch.keys.data());
      for (size_t i = 0; i < scratch.links.size(); ++i) {
        if (!(scratch.keys[i] < key)) continue;  // Not ">=": nothing is nearer than no number.
        key = scratch.keys[i];
        entry = scratch.links[i];
        moved = true;
      }
    }
  }
  return entry;
}

template <class Space>
void GraphBuilder<Space>::SearchLevel(uint32_t entry, uint32_t level, Scratch& scratch) const {
  scratch.visited.Begin(nodes_);
  scratch.beam.Begin(ef_construction_);
  scratch.visited.Visit(entry);
  scratch.beam.Insert(space_.One(scratch.node, entry), entry);
  const auto collect = [&](uint32_t node, std::vector<uint32_t>& batch) {
    ReadLinks(node, level, scratch.links);
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
  const auto ask_for_links = [&](uint32_t node) {
    PrefetchBytes(Slot(node, level), (1 + Capacity(level)) * sizeof(uint32_t));
  };
  WalkAhead(scratch.beam, scratch.batches, ask_for_links, collect, meet, [](int) { return true; });
}

template <class Space>
void GraphBuilder<Space>::Select(const std::vector<Neighbour>& candidates, size_t count,
                                 Scratch& scratch, std::vector<Neighbour>& selected) const {
  selected.clear();
  scratch.kept.clear();
  const std::vector<uint32_t>& kept = scratch.kept;
  for (const Neighbour& candidate : candidates) {
    if (selected.size() == count) break;
    space_.Start(candidate.node, scratch.selected_from);
    bool keep = true;
    size_t i = 0;
    for (; keep && i + 4 <= kept.size(); i += 4) {
      float keys[4];
      space_.Four(scratch.selected_from, &kept[i], keys);
      keep = keys[0] >= candidate.key && keys[1] >= candidate.key && keys[2] >= candidate.key &&
             keys[3] >= candidate.key;
    }
    for (; keep && i < kept.size(); ++i) {
      keep = space_.One(scratch.selected_from, kept[i]) >= candidate.key;
    }
    if (!keep) continue;
    selected.push_back(candidate);
    scratch.kept.push_back(candidate.node);
  }
}

template <class Space>
void GraphBuilder<Space>::Link(uint32_t from, Neighbour to, uint32_t level, Scratch& scratch) {
  const uint32_t capacity = Capacity(level);
  std::lock_guard lock(locks_[from]);
  uint32_t* slot = Slot(from, level);
  if (slot[0] < capacity) {
    slot[1 + slot[0]++] = to.node;
    return;
  }
  std::vector<Neighbour>& candidates = scratch.candidates;
  candidates.clear();
  candidates.push_back(to);
  space_.Start(from, scratch.linked);
  scratch.keys.resize(slot[0]);
  space_.Keys(scratch.linked, slot + 1, slot[0], scratch.keys.data());
  for (uint32_t i = 0; i < slot[0]; ++i) candidates.push_back({scratch.keys[i], slot[1 + i]});
  std::sort(candidates.begin(), candidates.end());
  std::vector<Neighbour> kept;
  Select(candidates, capacity, scratch, kept);
  slot[0] = static_cast<uint32_t>(kept.size());
  for (size_t k = 0; k < kept.size(); ++k) slot[1 + k] = kept[k].node;
}

// A new node's own links. Others may have linked into it on this level already, and their links
// stay.
template <class Space>
void GraphBuilder<Space>::LinkNew(uint32_t node, uint32_t level,
                                  const std::vector<Neighbour>& selected) {
  std::lock_guard lock(locks_[node]);
  uint32_t* slot = Slot(node, level);
  for (const Neighbour& neighbour : selected) {
    if (slot[0] == Capacity(level)) return;
    if (std::find(slot + 1, slot + 1 + slot[0], neighbour.node) != slot + 1 + slot[0]) continue;
    slot[1 + slot[0]++] = neighbour.node;
  }
}

template <class Space>
void GraphBuilder<Space>::Insert(uint32_t node, Scratch& scratch) {
  const uint32_t level = levels_[node];
  std::unique_lock<std::mutex> top(entry_mutex_);
  const uint32_t top_level = top_level_.load();
  uint32_t entry = entry_.load();
  // Only a node that raises the top keeps the others out while it enters.
  if (level <= top_level) top.unlock();
  space_.Start(node, scratch.node);
  entry = Descend(entry, top_level, std::min(level, top_level), scratch);
  const uint32_t levels = std::min(level, top_level) + 1;
  if (scratch.selected.size() < levels) scratch.selected.resize(levels);
  for (uint32_t l = levels; l-- > 0;) {
    SearchLevel(entry, l, scratch);
    std::vector<Neighbour>& candidates = scratch.candidates;
    candidates.clear();
    for (size_t i = 0; i < scratch.beam.size(); ++i) {
      if (scratch.beam.at(i).node != node) candidates.push_back(scratch.beam.at(i));
    }
    scratch.selected[l].clear();
    if (candidates.empty()) continue;
    entry = candidates.front().node;
    Select(candidates, m_, scratch, scratch.selected[l]);
  }
  for (uint32_t l = 0; l < levels; ++l) {
    LinkNew(node, l, scratch.selected[l]);
    for (const Neighbour& selected : scratch.selected[l]) {
      Link(selected.node, {selected.key, node}, l, scratch);
    }
  }
  if (level > top_level) {
    top_level_ = level;
    entry_ = node;
  }
}

template <class Space>
std::vector<uint32_t> GraphBuilder<Space>::BreadthFirstOrder() const {
  std::vector<uint32_t> order;
  order.reserve(nodes_);
  std::vector<uint8_t> met(nodes_, 0);
  const auto walk_from = [&](uint32_t start) {
    if (met[start]) return;
    met[start] = 1;
    order.push_back(start);
    for (size_t at = order.size() - 1; at < order.size(); ++at) {
      const uint32_t* slot = Slot(order[at], 0);
      for (uint32_t i = 1; i <= slot[0]; ++i) {
        if (met[slot[i]]) continue;
        met[slot[i]] = 1;
        order.push_back(slot[i]);
      }
    }
  };
  if (nodes_ > 0) walk_from(entry_.load());
  for (uint32_t node = 0; node < nodes_; ++node) walk_from(node);  // What is not reachable, too.
  return order;
}

template class GraphBuilder<BuildSpace>;
template class GraphBuilder<BitSpace>;

}  // namespace elanus::index
