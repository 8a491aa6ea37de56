// A sum of decision trees over numbers, as gradient boosting leaves it behind.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace elanus::trees {

/// What an objective makes of the sum of the leaves.
enum class Link : uint8_t { kIdentity, kLogistic, kExponential };

/// A checked model in flat arrays, made by ForestBuilder. Immutable: any number of threads may ask
/// it at once.
class Forest {
 public:
  /// How many numbers a row has.
  uint32_t features() const { return features_; }
  /// The sum of the leaves that the row reaches, over the base. `row` has features() numbers; NaN
  /// is a missing one, which goes the way that each split says.
  double Margin(std::span<const float> row) const;
  /// The margin as the objective means it: a probability, a count, the margin itself.
  double Predict(std::span<const float> row) const;

  size_t memory_bytes() const;

 private:
  friend class ForestBuilder;

  enum class Kind : uint8_t { kLeaf, kNumber, kCategory };
  // Children lie side by side: the left one at `left`, the right one behind it.
  struct Node {
    float value = 0;       // Of kLeaf: what it adds. Of kNumber: smaller ones go left.
    uint32_t feature = 0;  // Of both splits.
    uint32_t left = 0;     // Of both splits.
    uint32_t set = 0;      // Of kCategory: the categories that go right, among sets_.
    Kind kind = Kind::kLeaf;
    bool missing_goes_left = false;
  };

  bool GoesLeft(const Node& node, float value) const;

  std::vector<Node> nodes_;           // Tree after tree.
  std::vector<uint32_t> roots_;       // Of each tree, ascending.
  std::vector<uint32_t> categories_;  // Set after set, each ascending.
  std::vector<uint32_t> sets_ = {0};  // Where each set begins, and where the last one ends.
  uint32_t features_ = 0;
  double base_ = 0;  // A margin.
  Link link_ = Link::kIdentity;
};

}  // namespace elanus::trees
