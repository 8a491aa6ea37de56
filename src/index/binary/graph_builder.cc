// Building the graph. Invariants, as in hnsw/builder.cc:
// 1. A slot's count and neighbours change only under its node's lock; readers copy them under that
// lock.
// 2. A node is linked once it has searched all its levels, from level 0 up: whoever reaches it on a
// level finds its links on every level below.
// 3. Levels are drawn from the node's number, so they do not depend on the number of threads.
#include "index/binary/graph_builder.h"

#include <algorithm>
#include <cmath>

namespace elanus::index {
namespace {

constexpr uint32_t kNodesPerTask = 64;
constexpr uint32_t kLevelMax = 32;
constexpr size_t kKeptAtOnce = 4;  // Of a selection, compared before looking whether to go on.

// splitmix64: a uniform draw from a number.
double Uniform(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  x ^= x >> 31;
  return (static_cast<double>(x >> 11) + 0.5) / 9007199254740992.0;
}

}  // namespace

BinaryGraphBuilder::BinaryGraphBuilder(BinaryBlock rows, const uint32_t* ones, model::Metric metric,
                                       uint32_t m, uint32_t ef_construction)
    : rows_(rows),
      ones_(ones),
      metric_(metric),
      m_(m),
      ef_construction_(ef_construction),
      levels_(rows.rows),
      links_(rows.rows * (1 + 2 * size_t{m}), 0),
      upper_start_(rows.rows, 0),
      locks_(new SpinLock[std::max<size_t>(rows.rows, 1)]) {
  const double scale = 1.0 / std::log(static_cast<double>(m));
  uint32_t slots = 0;
  for (uint32_t node = 0; node < rows.rows; ++node) {
    const double level = -std::log(Uniform(node)) * scale;
    levels_[node] = static_cast<uint8_t>(std::min<double>(level, kLevelMax));
    upper_start_[node] = slots;
    slots += levels_[node];
  }
  upper_.assign(size_t{slots} * (1 + m), 0);
}

const uint32_t* BinaryGraphBuilder::Slot(uint32_t node, uint32_t level) const {
  if (level == 0) return links_.data() + size_t{node} * (1 + 2 * size_t{m_});
  return upper_.data() + (size_t{upper_start_[node]} + level - 1) * (1 + m_);
}
uint32_t* BinaryGraphBuilder::Slot(uint32_t node, uint32_t level) {
  return const_cast<uint32_t*>(std::as_const(*this).Slot(node, level));
}

GraphView BinaryGraphBuilder::view() const {
  return {.nodes = static_cast<uint32_t>(rows_.rows),
          .m = m_,
          .entry = entry_.load(),
          .top_level = top_level_.load(),
          .links = links_.data(),
          .upper_start = upper_start_.data(),
          .upper = upper_.data()};
}

Status BinaryGraphBuilder::Build(Context& ctx, const BuildOptions& options) {
  TRY(ctx.CheckAlive());
  if (rows_.rows == 0) return {};
  entry_ = 0;
  top_level_ = levels_[0];
  std::atomic<size_t> done{0};
  return ForParts(ctx, options.pool, rows_.rows, kNodesPerTask, [&](size_t begin, size_t end) {
    Scratch scratch{.scorer = BitScorer(rows_, ones_, metric_), .visited = ThreadVisitedSet()};
    // Node 0 is the entry that the others find.
    for (size_t node = std::max<size_t>(begin, 1); node < end; ++node) {
      Insert(static_cast<uint32_t>(node), scratch);
    }
    const size_t total = done.fetch_add(end - begin) + end - begin;
    if (options.on_progress) {
      options.on_progress(static_cast<double>(total) / static_cast<double>(rows_.rows));
    }
  });
}

void BinaryGraphBuilder::ReadLinks(uint32_t node, uint32_t level, std::vector<uint32_t>& to) const {
  std::lock_guard<SpinLock> lock(locks_[node]);
  const uint32_t* slot = Slot(node, level);
  to.assign(slot + 1, slot + 1 + slot[0]);
}

void BinaryGraphBuilder::Score(const std::vector<uint32_t>& nodes, Scratch& scratch) const {
  if (scratch.keys.size() < nodes.size()) scratch.keys.resize(nodes.size());
  scratch.scorer.Score(nodes.data(), nodes.size(), scratch.keys.data());
}

uint32_t BinaryGraphBuilder::Descend(uint32_t entry, uint32_t from_level, uint32_t to_level,
                                     Scratch& scratch) const {
  float key;
  scratch.scorer.Score(&entry, 1, &key);
  for (uint32_t level = from_level; level > to_level; --level) {
    bool moved = true;
    while (moved) {
      moved = false;
      ReadLinks(entry, level, scratch.links);
      Score(scratch.links, scratch);
      for (size_t i = 0; i < scratch.links.size(); ++i) {
        if (scratch.keys[i] >= key) continue;
        key = scratch.keys[i];
        entry = scratch.links[i];
        moved = true;
      }
    }
  }
  return entry;
}

void BinaryGraphBuilder::SearchLevel(uint32_t entry, uint32_t level, Scratch& scratch) const {
  scratch.visited.Begin(rows_.rows);
  scratch.beam.Begin(ef_construction_);
  scratch.visited.Visit(entry);
  float key;
  scratch.scorer.Score(&entry, 1, &key);
  scratch.beam.Insert(key, entry);
  uint32_t node;
  while (scratch.beam.Next(node)) {
    ReadLinks(node, level, scratch.links);
    std::erase_if(scratch.links, [&](uint32_t other) { return !scratch.visited.Visit(other); });
    Score(scratch.links, scratch);
    for (size_t i = 0; i < scratch.links.size(); ++i) {
      scratch.beam.Insert(scratch.keys[i], scratch.links[i]);
    }
  }
}

void BinaryGraphBuilder::Select(const std::vector<Neighbour>& candidates, size_t count,
                                Scratch& scratch, std::vector<Neighbour>& selected) const {
  selected.clear();
  scratch.kept.clear();
  float keys[kKeptAtOnce];
  for (const Neighbour& candidate : candidates) {
    if (selected.size() == count) break;
    scratch.scorer.SetQuery(rows_.row(candidate.node));
    bool keep = true;
    for (size_t i = 0; keep && i < scratch.kept.size(); i += kKeptAtOnce) {
      const size_t group = std::min(kKeptAtOnce, scratch.kept.size() - i);
      scratch.scorer.Score(scratch.kept.data() + i, group, keys);
      keep = std::all_of(keys, keys + group, [&](float key) { return key >= candidate.key; });
    }
    if (!keep) continue;
    selected.push_back(candidate);
    scratch.kept.push_back(candidate.node);
  }
}

void BinaryGraphBuilder::Link(uint32_t from, Neighbour to, uint32_t level, Scratch& scratch) {
  const uint32_t capacity = Capacity(level);
  std::lock_guard<SpinLock> lock(locks_[from]);
  uint32_t* slot = Slot(from, level);
  if (slot[0] < capacity) {
    slot[1 + slot[0]++] = to.node;
    return;
  }
  std::vector<Neighbour>& candidates = scratch.candidates;
  scratch.links.assign(slot + 1, slot + 1 + slot[0]);
  scratch.scorer.SetQuery(rows_.row(from));
  Score(scratch.links, scratch);
  candidates.assign(1, to);
  for (size_t i = 0; i < scratch.links.size(); ++i) {
    candidates.push_back({scratch.keys[i], scratch.links[i]});
  }
  std::sort(candidates.begin(), candidates.end());
  std::vector<Neighbour> kept;
  Select(candidates, capacity, scratch, kept);
  slot[0] = static_cast<uint32_t>(kept.size());
  for (size_t i = 0; i < kept.size(); ++i) slot[1 + i] = kept[i].node;
}

// A new node's own links. Others may have linked into it on this level already, and their links
// stay.
void BinaryGraphBuilder::LinkNew(uint32_t node, uint32_t level,
                                 const std::vector<Neighbour>& selected) {
  std::lock_guard<SpinLock> lock(locks_[node]);
  uint32_t* slot = Slot(node, level);
  for (const Neighbour& neighbour : selected) {
    if (slot[0] == Capacity(level)) return;
    if (std::find(slot + 1, slot + 1 + slot[0], neighbour.node) != slot + 1 + slot[0]) continue;
    slot[1 + slot[0]++] = neighbour.node;
  }
}

void BinaryGraphBuilder::Insert(uint32_t node, Scratch& scratch) {
  const uint32_t level = levels_[node];
  std::unique_lock<std::mutex> top(entry_mutex_);
  const uint32_t top_level = top_level_.load();
  uint32_t entry = entry_.load();
  // Only a node that raises the top keeps the others out while it enters.
  if (level <= top_level) top.unlock();
  scratch.scorer.SetQuery(rows_.row(node));
  entry = Descend(entry, top_level, std::min(level, top_level), scratch);
  const uint32_t levels = std::min(level, top_level) + 1;
  if (scratch.selected.size() < levels) scratch.selected.resize(levels);
  for (uint32_t l = levels; l-- > 0;) {
    scratch.scorer.SetQuery(rows_.row(node));
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

std::vector<uint32_t> BinaryGraphBuilder::BreadthFirstOrder() const {
  std::vector<uint32_t> order;
  order.reserve(rows_.rows);
  std::vector<bool> met(rows_.rows, false);
  const auto walk_from = [&](uint32_t start) {
    if (met[start]) return;
    met[start] = true;
    order.push_back(start);
    for (size_t at = order.size() - 1; at < order.size(); ++at) {
      const uint32_t* slot = Slot(order[at], 0);
      for (uint32_t i = 1; i <= slot[0]; ++i) {
        if (met[slot[i]]) continue;
        met[slot[i]] = true;
        order.push_back(slot[i]);
      }
    }
  };
  if (rows_.rows > 0) walk_from(entry_.load());
  // What is not reachable, too.
  for (uint32_t node = 0; node < rows_.rows; ++node) walk_from(node);
  return order;
}

}  // namespace elanus::index
