// Figures of a filter's leaves.
#include "expr/filter_profile.h"

#include <fmt/format.h>

#include "base/bitset.h"
#include "expr/describe.h"

namespace elanus::expr {
namespace {

uint64_t Count(const Words& words) { return CountBits(words.data(), words.size()); }

}  // namespace

std::unique_ptr<FilterProfile> FilterProfile::Make(Context& ctx, const Node& root,
                                                   const ColumnSource& source) {
  if (ctx.profile() == nullptr) return nullptr;
  std::unique_ptr<FilterProfile> profile(new FilterProfile(ctx, source));
  // Leaves in the order of the tree, whose children lie in the order in which they are asked.
  std::vector<const Node*> pending{&root};
  while (!pending.empty()) {
    const Node* node = pending.back();
    pending.pop_back();
    for (size_t i = node->children.size(); i-- > 0;) pending.push_back(node->children[i].get());
    if (!node->children.empty()) continue;
    if (profile->leaves_.size() == kLeavesMax) {
      ++profile->left_out_;
      continue;
    }
    profile->places_[node] = profile->leaves_.size();
    profile->leaves_.push_back({.node = node});
  }
  return profile;
}

FilterProfile::Leaf* FilterProfile::Find(const Node& node) {
  const auto found = places_.find(&node);
  return found == places_.end() ? nullptr : &leaves_[found->second];
}

void FilterProfile::Planned(const Node& node, const model::IndexPromise& promise, bool is_taken,
                            double scan_ns, double reach) {
  Leaf* leaf = Find(node);
  if (leaf == nullptr) return;
  const std::string_view index = promise.index.empty() ? "an index" : promise.index;
  if (promise.coverage == model::Coverage::kNone) {
    leaf->why = "no index answers it";
    return;
  }
  leaf->why =
      fmt::format("about {:.0f} rows are left for it: {} takes {:.1f} us, looking {:.1f} us", reach,
                  index, promise.cost_ns / 1000, scan_ns / 1000);
  if (is_taken) leaf->by = index;
}

void FilterProfile::Answered(const Node& node, model::Coverage coverage, uint64_t rows,
                             int64_t ns) {
  Leaf* leaf = Find(node);
  if (leaf == nullptr) return;
  leaf->ns += ns;
  if (coverage == model::Coverage::kNone) {
    leaf->by.clear();
    leaf->why = "the index cannot answer it";
  } else if (coverage == model::Coverage::kCandidates) {
    leaf->candidates = rows;
  } else {
    leaf->rows_before = source_.rows();
    leaf->rows_after = rows;
  }
}

void FilterProfile::Looked(const Node& node, const Words& active, const Words& passed, int64_t ns) {
  Leaf* leaf = Find(node);
  if (leaf == nullptr) return;
  leaf->rows_before += Count(active);
  leaf->rows_after += Count(passed);
  ++leaf->batches;
  leaf->ns += ns;
}

void FilterProfile::Skipped(const Node& node) {
  if (Leaf* leaf = Find(node)) ++leaf->batches_skipped;
}

void FilterProfile::Write() {
  for (const Leaf& leaf : leaves_) {
    ProfileNode* step = ctx_.profile()->Add("condition");
    if (step == nullptr) return;
    step->wall_us = leaf.ns / 1000;
    step->Says("text", Describe(*leaf.node, source_));
    const bool scans = leaf.batches > 0;
    step->Says("by", leaf.by.empty() ? (scans ? "rows" : "nothing, no row was left for it")
                     : scans         ? leaf.by + ", then its candidates"
                                     : leaf.by);
    if (!leaf.why.empty()) step->Says("why", leaf.why);
    step->Says("rows_before", static_cast<int64_t>(leaf.rows_before));
    if (leaf.candidates > 0) step->Says("candidates", static_cast<int64_t>(leaf.candidates));
    step->Says("rows_after", static_cast<int64_t>(leaf.rows_after));
    if (leaf.batches_skipped > 0) {
      step->Says("batches", static_cast<int64_t>(leaf.batches));
      step->Says("batches_told_by_statistics", static_cast<int64_t>(leaf.batches_skipped));
    }
  }
  if (left_out_ > 0) ProfileSays(ctx_, "conditions_left_out", static_cast<int64_t>(left_out_));
}

}  // namespace elanus::expr
