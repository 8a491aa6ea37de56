// The planner: which leaves of a filter indexes answer, and what follows for the nodes above them.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "expr/expr.h"
#include "expr/node.h"

namespace elanus::expr {

class FilterProfile;

/// What is known of a node for all rows of the segment before any of them is looked at.
struct Answer {
  /// kExact: `yes` are the rows where it is true. kCandidates, of a leaf: no others can be. kNone,
  /// of an `and` or `or`: what its children that are not in `rest` say together.
  model::Coverage coverage = model::Coverage::kNone;
  Bitset yes;
  Bitset unknown;             // Empty where nobody asks: only under `not` it matters.
  std::vector<NodePtr> rest;  // Children still to be evaluated, cheapest first.

  bool is_exact() const { return coverage == model::Coverage::kExact; }
};

class Answers {
 public:
  /// Null: nothing is known.
  Answer* Find(const Node& node) {
    if (nodes_.empty()) return nullptr;
    const auto found = nodes_.find(&node);
    return found == nodes_.end() ? nullptr : &found->second;
  }
  const Answer* Find(const Node& node) const { return const_cast<Answers*>(this)->Find(node); }
  void Put(const Node& node, Answer answer) { nodes_[&node] = std::move(answer); }
  void Drop(const Node& node) { nodes_.erase(&node); }
  /// What is known of `root` and the nodes below it for these rows alone.
  Answers Gather(const Node& root, std::span<const uint32_t> rows) const;

 private:
  std::unordered_map<const Node*, Answer> nodes_;
};

/// Asks for those leaves that an index answers at less cost than looking at the rows that are left
/// for them; under `and` the rarest come first and leave fewer rows for the others. Folds what it
/// gets as far up as it can. Memory: rows / 8 bytes for each leaf that is answered and not folded.
/// Errors: those of the indexes. `profile` may be null.
Result<Answers> AskIndexes(Context& ctx, const Node& root, const ColumnSource& source,
                           FilterProfile* profile);

}  // namespace elanus::expr
