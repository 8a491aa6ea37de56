// Packing and walking the tree.
#include "index/scalar/rtree/tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace elanus::index {
namespace {

constexpr size_t kFanOut = 16;
constexpr size_t kEntriesPerCheck = 65536;
constexpr size_t kNodesPerCheck = 4096;
constexpr size_t kFrontierMax = 256;  // Nodes of one level that Count goes on from.
constexpr uint32_t kCurveBits = 16;   // Of each axis.

float Down(double value) {
  constexpr float kMost = std::numeric_limits<float>::max();
  if (value > kMost) return kMost;
  if (value < -kMost) return -std::numeric_limits<float>::infinity();
  const auto near = static_cast<float>(value);
  return near > value ? std::nextafter(near, -std::numeric_limits<float>::infinity()) : near;
}
float Up(double value) { return -Down(-value); }

RoundedBox Joined(const RoundedBox& a, const RoundedBox& b) {
  return {std::min(a.min_x, b.min_x), std::min(a.min_y, b.min_y), std::max(a.max_x, b.max_x),
          std::max(a.max_y, b.max_y)};
}

// How far along the Hilbert curve of order kCurveBits a cell lies (Warren 2013, "Hacker's Delight",
// 16).
uint32_t AlongCurve(uint32_t x, uint32_t y) {
  uint32_t along = 0;
  for (uint32_t side = 1u << (kCurveBits - 1); side > 0; side /= 2) {
    const uint32_t right = (x & side) != 0 ? 1 : 0;
    const uint32_t upper = (y & side) != 0 ? 1 : 0;
    along += side * side * ((3 * right) ^ upper);
    if (upper == 0) {
      if (right == 1) {
        x = ~x;
        y = ~y;
      }
      std::swap(x, y);
    }
  }
  return along;
}

// The cell of a box's middle on one axis of [low, high]; halves, so that nothing overflows.
uint32_t CellOf(float min, float max, float low, float high) {
  constexpr double kCells = 1u << kCurveBits;
  const double middle = (double{min} + max) / 2 - low;
  const double cell = middle / (double{high} - low) * kCells;
  return std::isfinite(cell) ? static_cast<uint32_t>(std::clamp(cell, 0.0, kCells - 1)) : 0;
}

}  // namespace

RoundedBox RoundedBox::Around(const model::Box& box) {
  return {Down(box.min_x), Down(box.min_y), Up(box.max_x), Up(box.max_y)};
}

Result<std::vector<std::string>> PackTree(Context& ctx, std::vector<BoxEntry> entries) {
  std::vector<std::pair<uint32_t, uint32_t>> order;  // Along the curve, number of the entry.
  order.reserve(entries.size());
  RoundedBox around{};
  for (size_t i = 0; i < entries.size(); ++i) {
    around = i == 0 ? entries[i].box : Joined(around, entries[i].box);
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i % kEntriesPerCheck == 0) TRY(ctx.CheckAlive());
    const RoundedBox& box = entries[i].box;
    order.emplace_back(AlongCurve(CellOf(box.min_x, box.max_x, around.min_x, around.max_x),
                                  CellOf(box.min_y, box.max_y, around.min_y, around.max_y)),
                       static_cast<uint32_t>(i));
  }
  std::sort(order.begin(), order.end());
  TRY(ctx.CheckAlive());
  std::vector<RoundedBox> boxes;
  std::vector<uint32_t> rows;
  for (const auto& [along, i] : order) {
    boxes.push_back(entries[i].box);
    rows.push_back(entries[i].row);
  }
  std::vector<RoundedBox> nodes;
  std::vector<RoundedBox> level = boxes;
  while (!level.empty()) {
    std::vector<RoundedBox> above;
    for (size_t i = 0; i < level.size(); ++i) {
      if (i % kFanOut == 0)
        above.push_back(level[i]);
      else
        above.back() = Joined(above.back(), level[i]);
    }
    nodes.insert(nodes.end(), above.begin(), above.end());
    if (above.size() == 1) break;
    level = std::move(above);
  }
  return std::vector<std::string>{BytesOf(boxes), BytesOf(rows), BytesOf(nodes)};
}

Result<Tree> Tree::Open(const std::string_view* sections) {
  Tree tree;
  tree.entries_ = sections[1].size() / sizeof(uint32_t);
  size_t nodes = 0;
  if (tree.entries_ > 0) tree.levels_.push_back({0, tree.entries_});
  while (tree.entries_ > 0 && (tree.levels_.size() == 1 || tree.levels_.back().count > 1)) {
    const size_t count = (tree.levels_.back().count + kFanOut - 1) / kFanOut;
    tree.levels_.push_back({nodes, count});
    nodes += count;
  }
  if (sections[1].size() != tree.entries_ * sizeof(uint32_t) ||
      sections[0].size() != tree.entries_ * sizeof(RoundedBox) ||
      sections[2].size() != nodes * sizeof(RoundedBox)) {
    return Status(ErrorCode::kIntegrity, "the RTREE index has a tree that is not whole");
  }
  tree.boxes_ = {sections[0].data()};
  tree.rows_ = {sections[1].data()};
  tree.nodes_ = {sections[2].data()};
  return tree;
}

model::Box Tree::around() const {
  if (levels_.empty()) return {};
  const RoundedBox root = nodes_[levels_.back().begin];
  return {root.min_x, root.min_y, root.max_x, root.max_y};
}

bool Tree::Asked::MayPassIn(const RoundedBox& node) const {
  using Kind = model::BoxQuery::Kind;
  return kind == Kind::kMeets || kind == Kind::kInside ? node.Meets(box) : node.Holds(box);
}

bool Tree::Asked::MayPass(const RoundedBox& entry) const {
  switch (kind) {
    case model::BoxQuery::Kind::kMeets:
      return entry.Meets(box);
    case model::BoxQuery::Kind::kInside:
      return box.Holds(entry);
    case model::BoxQuery::Kind::kCovers:
      return entry.Holds(box);
    case model::BoxQuery::Kind::kEqual:
      return entry.Holds(box) && box.Holds(entry);
  }
  return true;
}

uint64_t Tree::Count(const model::BoxQuery& query) const {
  if (levels_.empty()) return 0;
  const Asked asked = AskedOf(query);
  std::vector<size_t> frontier = {0};
  size_t under_each = 1;  // Entries below a node, at most.
  for (size_t level = 1; level + 1 < levels_.size(); ++level) under_each *= kFanOut;
  for (size_t level = levels_.size() - 1; level > 0; --level) {
    std::vector<size_t> below;
    for (size_t node : frontier) {
      const size_t end = std::min((node + 1) * kFanOut, levels_[level - 1].count);
      for (size_t i = node * kFanOut; i < end; ++i) {
        if (Passes(asked, level - 1, i)) below.push_back(i);
      }
    }
    if (level == 1 || below.size() > kFrontierMax) {
      return std::min<uint64_t>(below.size() * uint64_t{under_each}, entries_);
    }
    under_each /= kFanOut;
    frontier = std::move(below);
  }
  return entries_;
}

Status Tree::Find(Context& ctx, const model::BoxQuery& query, std::vector<uint32_t>& rows) const {
  if (levels_.empty()) return {};
  const Asked asked = AskedOf(query);
  std::vector<std::pair<size_t, size_t>> pending = {{levels_.size() - 1, 0}};  // Level, node.
  size_t visited = 0;
  while (!pending.empty()) {
    if (++visited % kNodesPerCheck == 0) TRY(ctx.CheckAlive());
    const auto [level, node] = pending.back();
    pending.pop_back();
    const size_t end = std::min((node + 1) * kFanOut, levels_[level - 1].count);
    for (size_t i = node * kFanOut; i < end; ++i) {
      if (!Passes(asked, level - 1, i)) continue;
      if (level == 1)
        rows.push_back(rows_[i]);
      else
        pending.emplace_back(level - 1, i);
    }
  }
  return {};
}

}  // namespace elanus::index
