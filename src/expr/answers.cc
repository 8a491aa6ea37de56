// Planning by estimates, bottom-up folding of answers.
#include "expr/answers.h"

#include <algorithm>

#include "expr/filter_profile.h"
#include "expr/gathered_rows.h"
#include "expr/leaf.h"

namespace elanus::expr {
namespace {

using model::Coverage;
using Kind = Node::Kind;

// To clear and fold a set, for each row; and how many rows a vectorised test of a column looks at
// in the time that one takes which is fetched alone.
constexpr double kSetNs = 0.02;
constexpr double kRowsPerWanted = 24;

class Planner {
 public:
  Planner(Context& ctx, const ColumnSource& source, FilterProfile* profile)
      : ctx_(ctx), source_(source), profile_(profile), rows_(static_cast<double>(source.rows())) {}

  Result<Answers> Run(const Node& root) {
    List(root);
    if (!Estimate()) return std::move(answers_);
    Choose();
    // Children stand behind their parents.
    for (size_t i = places_.size(); i-- > 0;) {
      const Place& place = places_[i];
      if (!place.node->children.empty()) {
        FoldChildren(place);
      } else if (place.is_taken) {
        TRY(Ask(place));
      }
    }
    return std::move(answers_);
  }

 private:
  struct Place {
    const Node* node;
    bool needs_unknown;
    size_t children = 0;  // Where they begin in places_.
    double reach = 0;     // Rows that are left for it, about.
    model::IndexPromise promise = {};
    bool is_taken = false;
  };

  // Lists the nodes, children of one node together and behind it.
  void List(const Node& root) {
    places_.push_back({.node = &root, .needs_unknown = false});
    for (size_t i = 0; i < places_.size(); ++i) {
      const Node& node = *places_[i].node;
      places_[i].children = places_.size();
      const bool needs_unknown = places_[i].needs_unknown || node.kind == Kind::kNot;
      for (const NodePtr& child : node.children) {
        places_.push_back({.node = child.get(), .needs_unknown = needs_unknown});
      }
    }
  }

  // Whether there is any index to ask.
  bool Estimate() {
    bool any = false;
    for (Place& place : places_) {
      if (place.node->predicate == nullptr) continue;
      place.promise = source_.Estimate(*place.node->predicate);
      any = any || place.promise.coverage != Coverage::kNone;
      if (profile_ != nullptr) profile_->Planned(*place.node, place.promise, false, 0, 0);
    }
    return any;
  }

  double ScanCost(const Node& node, double reach) const {
    const double ns = ScanNs(node);
    return ns < 1 ? ns * std::min(rows_, reach * kRowsPerWanted) : ns * reach;
  }

  void ChooseLeaf(Place& place) const {
    if (place.promise.coverage == Coverage::kNone) return;
    const double cost = place.promise.cost_ns + rows_ * kSetNs;
    const double scan_cost = ScanCost(*place.node, place.reach);
    place.is_taken = cost < scan_cost;
    if (profile_ == nullptr) return;
    profile_->Planned(*place.node, place.promise, place.is_taken, scan_cost, place.reach);
  }

  void Choose() {
    places_[0].reach = rows_;
    ChooseLeaf(places_[0]);
    for (Place& parent : places_) {
      double reach = parent.reach;
      std::vector<Place*> children;
      for (size_t i = 0; i < parent.node->children.size(); ++i) {
        children.push_back(&places_[parent.children + i]);
      }
      const bool is_and = parent.node->kind == Kind::kAnd;
      if (is_and) {
        std::stable_sort(children.begin(), children.end(),
                         [](const Place* a, const Place* b) { return RowsOf(*a) < RowsOf(*b); });
      }
      for (Place* child : children) {
        child->reach = reach;
        ChooseLeaf(*child);
        if (is_and && child->is_taken) {
          reach = std::min(reach, static_cast<double>(child->promise.rows));
        }
      }
    }
  }
  static uint64_t RowsOf(const Place& place) {
    return place.promise.coverage == Coverage::kNone ? UINT64_MAX : place.promise.rows;
  }

  Status Ask(const Place& place) {
    Answer answer;
    answer.yes.Resize(source_.rows());
    if (place.needs_unknown) answer.unknown.Resize(source_.rows());
    // A test for null is never unknown.
    const bool asks_unknown = place.needs_unknown && place.node->kind != Kind::kIsNull;
    const int64_t begin_ns = profile_ == nullptr ? 0 : ProfileClockNs();
    TRY_ASSIGN(answer.coverage, source_.Answer(ctx_, *place.node->predicate, answer.yes,
                                               asks_unknown ? &answer.unknown : nullptr));
    if (profile_ != nullptr) {
      profile_->Answered(*place.node, answer.coverage, answer.yes.Count(),
                         ProfileClockNs() - begin_ns);
    }
    if (answer.coverage != Coverage::kNone) answers_.Put(*place.node, std::move(answer));
    return {};
  }

  void FoldChildren(const Place& place) {
    const Node& node = *place.node;
    Answer all;
    bool any = false;
    for (const NodePtr& child : node.children) {
      Answer* one = answers_.Find(*child);
      const bool is_exact = one != nullptr && one->is_exact();
      // A leaf with candidates bounds an `and`, and is looked at all the same.
      const bool bounds =
          one != nullptr && one->coverage == Coverage::kCandidates && node.kind == Kind::kAnd;
      if (!is_exact) all.rest.push_back(child);
      if (!is_exact && !bounds) continue;
      if (!any) {
        all.yes = is_exact ? std::move(one->yes) : one->yes;
        all.unknown = is_exact ? std::move(one->unknown) : one->unknown;
        if (node.kind == Kind::kNot) Negate(all);
        if (!place.needs_unknown) all.unknown = Bitset();
      } else if (node.kind == Kind::kAnd) {
        And(all, *one);
      } else {
        Or(all, *one);
      }
      any = true;
      if (is_exact) answers_.Drop(*child);
    }
    if (!any) return;
    if (all.rest.empty()) all.coverage = Coverage::kExact;
    answers_.Put(node, std::move(all));
  }

  static void Negate(Answer& one) {
    one.yes.Or(one.unknown);
    one.yes.Flip();
  }
  static void And(Answer& all, const Answer& one) {
    if (all.unknown.size() == 0) return all.yes.And(one.yes);
    // Not false: both are true or unknown.
    all.unknown.Or(all.yes);
    Bitset others = one.unknown;
    others.Or(one.yes);
    all.unknown.And(others);
    all.yes.And(one.yes);
    all.unknown.AndNot(all.yes);
  }
  static void Or(Answer& all, const Answer& one) {
    all.yes.Or(one.yes);
    if (all.unknown.size() == 0) return;
    all.unknown.Or(one.unknown);
    all.unknown.AndNot(all.yes);
  }

  Context& ctx_;
  const ColumnSource& source_;
  FilterProfile* const profile_;
  const double rows_;
  std::vector<Place> places_;
  Answers answers_;
};

}  // namespace

Answers Answers::Gather(const Node& root, std::span<const uint32_t> rows) const {
  Answers gathered;
  std::vector<const Node*> pending;
  if (!nodes_.empty()) pending.push_back(&root);
  while (!pending.empty()) {
    const Node& node = *pending.back();
    pending.pop_back();
    for (const NodePtr& child : node.children) pending.push_back(child.get());
    const Answer* known = Find(node);
    if (known == nullptr) continue;
    Answer part;
    part.coverage = known->coverage;
    part.yes = GatherBits(known->yes, rows);
    if (known->unknown.size() > 0) part.unknown = GatherBits(known->unknown, rows);
    part.rest = known->rest;
    gathered.Put(node, std::move(part));
  }
  return gathered;
}

Result<Answers> AskIndexes(Context& ctx, const Node& root, const ColumnSource& source,
                           FilterProfile* profile) {
  return Planner(ctx, source, profile).Run(root);
}

}  // namespace elanus::expr
