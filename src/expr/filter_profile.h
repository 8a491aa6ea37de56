// What the leaves of a filter did in one segment, for whoever asked for a profile of the request.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/profile.h"
#include "expr/batch.h"
#include "expr/expr.h"
#include "expr/node.h"

namespace elanus::expr {

/// Sums up, leaf by leaf, and notes a step for each at the end. Not thread-safe.
class FilterProfile {
 public:
  /// Null when nobody has asked. `root` and `source` must outlive it.
  static std::unique_ptr<FilterProfile> Make(Context& ctx, const Node& root,
                                             const ColumnSource& source);

  /// The planner's choice: to ask the index `promise` speaks of, or to look at rows, about `reach`
  /// of them.
  void Planned(const Node& leaf, const model::IndexPromise& promise, bool is_taken, double scan_ns,
               double reach);
  /// An index has answered for every row.
  void Answered(const Node& leaf, model::Coverage coverage, uint64_t rows, int64_t ns);
  /// A batch was looked at: its rows in `active`, of which `passed` are true.
  void Looked(const Node& leaf, const Words& active, const Words& passed, int64_t ns);
  /// The statistics of a batch told all there is to know.
  void Skipped(const Node& leaf);
  /// Puts the steps under that of the context.
  void Write();

 private:
  // A filter may have thousands of leaves; the first ones are shown.
  static constexpr size_t kLeavesMax = 64;

  struct Leaf {
    const Node* node = nullptr;
    std::string by;  // Who decided; empty: rows were looked at.
    std::string why;
    uint64_t rows_before = 0;
    uint64_t rows_after = 0;
    uint64_t candidates = 0;  // Of an index that does not decide alone.
    uint64_t batches = 0;
    uint64_t batches_skipped = 0;
    int64_t ns = 0;
  };
  FilterProfile(Context& ctx, const ColumnSource& source) : ctx_(ctx), source_(source) {}
  Leaf* Find(const Node& node);

  Context& ctx_;
  const ColumnSource& source_;
  std::vector<Leaf> leaves_;
  std::unordered_map<const Node*, size_t> places_;
  size_t left_out_ = 0;
};

}  // namespace elanus::expr
