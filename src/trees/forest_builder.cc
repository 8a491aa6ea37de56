// Checking trees while they are laid out anew.
#include "trees/forest_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace elanus::trees {
namespace {

constexpr uint32_t kNoEntry = std::numeric_limits<uint32_t>::max();

// A whole number in [0, end).
Result<uint32_t> Index(double number, size_t end, const char* list) {
  if (!(number >= 0 && number < static_cast<double>(end) && number == std::floor(number)))
    return Invalid("xgboost model: {} in {} should be a whole number in [0, {})", number, list,
                   end);
  return static_cast<uint32_t>(number);
}

Result<float> Finite(double number) {
  const auto value = static_cast<float>(number);
  if (!std::isfinite(value))
    return Invalid("xgboost model: {} in split_conditions should be a finite number", number);
  return value;
}

Status CheckLength(const std::vector<double>& list, size_t length, const char* name) {
  if (list.size() == length) return {};
  return Invalid("xgboost model: {} should have {} entries, got {}", name, length, list.size());
}

}  // namespace

Status ForestBuilder::Add(const RawTree& tree) {
  const size_t count = tree.left_children.size();
  if (count == 0) return Invalid("xgboost model: a tree has no nodes");
  TRY(CheckLength(tree.right_children, count, "right_children"));
  TRY(CheckLength(tree.split_indices, count, "split_indices"));
  TRY(CheckLength(tree.split_conditions, count, "split_conditions"));
  TRY(CheckLength(tree.default_left, count, "default_left"));
  if (!tree.split_type.empty()) TRY(CheckLength(tree.split_type, count, "split_type"));
  TRY(CheckLength(tree.categories_segments, tree.categories_nodes.size(), "categories_segments"));
  TRY(CheckLength(tree.categories_sizes, tree.categories_nodes.size(), "categories_sizes"));

  std::vector<uint32_t> set_of(tree.categories_nodes.empty() ? 0 : count, kNoEntry);
  for (uint32_t entry = 0; entry < tree.categories_nodes.size(); ++entry) {
    TRY_ASSIGN(const uint32_t node, Index(tree.categories_nodes[entry], count, "categories_nodes"));
    set_of[node] = entry;
  }
  // From the root, so that nodes which pruning has left behind fall away.
  std::vector<uint8_t> is_seen(count, 0);
  const auto root = static_cast<uint32_t>(forest_.nodes_.size());
  forest_.roots_.push_back(root);
  forest_.nodes_.emplace_back();
  std::vector<Place> left_to_do = {{.from = 0, .to = root, .depth = 0}};
  while (!left_to_do.empty()) {
    const Place place = left_to_do.back();
    left_to_do.pop_back();
    TRY(AddNode(tree, place, set_of, is_seen, left_to_do));
  }
  return {};
}

Status ForestBuilder::AddNode(const RawTree& tree, const Place& place,
                              std::vector<uint32_t>& set_of, std::vector<uint8_t>& is_seen,
                              std::vector<Place>& left_to_do) {
  const size_t count = tree.left_children.size();
  const uint32_t from = place.from;
  // Also what ends a cycle.
  if (is_seen[from] != 0) return Invalid("xgboost model: node {} has two parents", from);
  is_seen[from] = 1;
  if (place.depth > kDepthMax) return Invalid("xgboost model: a tree is deeper than {}", kDepthMax);
  Forest::Node node;
  if (tree.left_children[from] == -1 && tree.right_children[from] == -1) {
    TRY_ASSIGN(node.value, Finite(tree.split_conditions[from]));
    forest_.nodes_[place.to] = node;
    return {};
  }
  TRY_ASSIGN(const uint32_t left, Index(tree.left_children[from], count, "left_children"));
  TRY_ASSIGN(const uint32_t right, Index(tree.right_children[from], count, "right_children"));
  TRY_ASSIGN(node.feature, Index(tree.split_indices[from], kNoEntry, "split_indices"));
  TRY_ASSIGN(const uint32_t goes_left, Index(tree.default_left[from], 2, "default_left"));
  node.missing_goes_left = goes_left == 1;
  uint32_t type = 0;
  if (!tree.split_type.empty()) {
    TRY_ASSIGN(type, Index(tree.split_type[from], 2, "split_type"));
  }
  if (type == 0) {
    node.kind = Forest::Kind::kNumber;
    TRY_ASSIGN(node.value, Finite(tree.split_conditions[from]));
  } else {
    node.kind = Forest::Kind::kCategory;
    if (set_of.empty() || set_of[from] == kNoEntry)
      return Invalid("xgboost model: node {} splits by no categories", from);
    TRY_ASSIGN(node.set, AddSet(tree, set_of[from]));
  }
  node.left = static_cast<uint32_t>(forest_.nodes_.size());
  if (forest_.nodes_.size() + 2 > kNodesMax)
    return Invalid("xgboost model: there are more than {} nodes", kNodesMax);
  forest_.nodes_.resize(forest_.nodes_.size() + 2);
  left_to_do.push_back({.from = left, .to = node.left, .depth = place.depth + 1});
  left_to_do.push_back({.from = right, .to = node.left + 1, .depth = place.depth + 1});
  forest_.nodes_[place.to] = node;
  return {};
}

Result<uint32_t> ForestBuilder::AddSet(const RawTree& tree, uint32_t entry) {
  const size_t all = tree.categories.size();
  TRY_ASSIGN(const uint32_t begin,
             Index(tree.categories_segments[entry], all + 1, "categories_segments"));
  TRY_ASSIGN(const uint32_t size,
             Index(tree.categories_sizes[entry], all - begin + 1, "categories_sizes"));
  std::vector<uint32_t>& kept = forest_.categories_;
  if (kept.size() + size > kNodesMax)
    return Invalid("xgboost model: there are more than {} categories", kNodesMax);
  const size_t first = kept.size();
  for (size_t i = begin; i < size_t{begin} + size; ++i) {
    TRY_ASSIGN(const uint32_t category, Index(tree.categories[i], kNoEntry, "categories"));
    kept.push_back(category);
  }
  std::sort(kept.begin() + static_cast<ptrdiff_t>(first), kept.end());
  forest_.sets_.push_back(static_cast<uint32_t>(kept.size()));
  return static_cast<uint32_t>(forest_.sets_.size() - 2);
}

void ForestBuilder::Scale(size_t tree, float weight) {
  const size_t end =
      tree + 1 < forest_.roots_.size() ? forest_.roots_[tree + 1] : forest_.nodes_.size();
  for (size_t i = forest_.roots_[tree]; i < end; ++i) {
    if (forest_.nodes_[i].kind == Forest::Kind::kLeaf) forest_.nodes_[i].value *= weight;
  }
}

Result<Forest> ForestBuilder::Finish(uint32_t features, double base_margin, Link link) {
  if (forest_.roots_.empty()) return Invalid("xgboost model: there are no trees");
  for (const Forest::Node& node : forest_.nodes_) {
    if (node.kind != Forest::Kind::kLeaf && node.feature >= features)
      return Invalid("xgboost model: {} in split_indices, but there are {} features", node.feature,
                     features);
  }
  forest_.features_ = features;
  forest_.base_ = base_margin;
  forest_.link_ = link;
  forest_.nodes_.shrink_to_fit();
  forest_.categories_.shrink_to_fit();
  forest_.sets_.shrink_to_fit();
  return std::move(forest_);
}

}  // namespace elanus::trees
