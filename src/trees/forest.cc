// Walking the trees.
#include "trees/forest.h"

#include <algorithm>
#include <cmath>

namespace elanus::trees {

bool Forest::GoesLeft(const Node& node, float value) const {
  if (std::isnan(value)) return node.missing_goes_left;
  if (node.kind == Kind::kNumber) return value < node.value;
  // A category is a whole number. What is none, or is in no set, goes left as all that do not
  // match.
  constexpr float kCategoriesMax = 16777216;  // Beyond, floats are not dense enough to tell them.
  if (!(value >= 0 && value < kCategoriesMax)) return true;
  return !std::binary_search(categories_.begin() + sets_[node.set],
                             categories_.begin() + sets_[node.set + 1],
                             static_cast<uint32_t>(value));
}

double Forest::Margin(std::span<const float> row) const {
  double sum = base_;
  for (const uint32_t root : roots_) {
    const Node* node = &nodes_[root];
    while (node->kind != Kind::kLeaf) {
      node = &nodes_[node->left + (GoesLeft(*node, row[node->feature]) ? 0 : 1)];
    }
    sum += node->value;
  }
  return sum;
}

double Forest::Predict(std::span<const float> row) const {
  const double margin = Margin(row);
  switch (link_) {
    case Link::kIdentity:
      return margin;
    case Link::kLogistic:
      return 1 / (1 + std::exp(-margin));
    case Link::kExponential:
      return std::exp(margin);
  }
  return margin;
}

size_t Forest::memory_bytes() const {
  return sizeof(*this) + nodes_.capacity() * sizeof(Node) +
         (roots_.capacity() + categories_.capacity() + sets_.capacity()) * sizeof(uint32_t);
}

}  // namespace elanus::trees
