// From trees as a file tells them, in which anything may stand, to a forest that can be walked.
#pragma once

#include <vector>

#include "base/status.h"
#include "trees/forest.h"

namespace elanus::trees {

/// One tree: a number a node in each of the lists, by the names of XGBoost's schema. Nobody has
/// looked at the numbers yet.
struct RawTree {
  std::vector<double> left_children;     // -1: a leaf.
  std::vector<double> right_children;    // -1: a leaf.
  std::vector<double> split_indices;     // The feature.
  std::vector<double> split_conditions;  // Of a leaf: its value.
  std::vector<double> default_left;      // 1: a missing value goes left.
  std::vector<double> split_type;        // 1: by category; absent: all by number.
  // The splits by category, each with a piece of `categories`: those that go right.
  std::vector<double> categories_nodes;
  std::vector<double> categories_segments;  // Where the piece begins.
  std::vector<double> categories_sizes;
  std::vector<double> categories;
};

/// For one thread. The trees first, then what holds for all.
class ForestBuilder {
 public:
  /// Nodes of all trees, and categories of all splits: 4 million take 96 MB.
  static constexpr size_t kNodesMax = size_t{1} << 22;
  /// From a root to a leaf. XGBoost grows 6 unless told otherwise.
  static constexpr size_t kDepthMax = 1024;

  /// Takes a tree whose nodes are each reached once from the first one, or not at all. Errors:
  /// kInvalidParameter (lists of different lengths, a child outside of the tree, a node reached
  /// twice, no finite number, too deep, too large), after which the builder is of no use.
  Status Add(const RawTree& tree);
  size_t trees() const { return forest_.roots_.size(); }
  /// Multiplies the leaves of a tree.
  void Scale(size_t tree, float weight);
  /// Errors: kInvalidParameter (there is no tree; a split asks for a feature that is not there).
  Result<Forest> Finish(uint32_t features, double base_margin, Link link);

 private:
  // Of a tree that is being added: a node of the file, and where it lies in the forest.
  struct Place {
    uint32_t from;
    uint32_t to;
    size_t depth;
  };

  Status AddNode(const RawTree& tree, const Place& place, std::vector<uint32_t>& set_of,
                 std::vector<uint8_t>& is_seen, std::vector<Place>& left_to_do);
  Result<uint32_t> AddSet(const RawTree& tree, uint32_t entry);

  Forest forest_;
};

}  // namespace elanus::trees
