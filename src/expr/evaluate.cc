// Evaluation: batch by batch, each node yields the bits that are true and those that are unknown.
// Leaves over plain columns are offered to an index first, once for the whole segment.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <random>

#include "expr/batch.h"
#include "expr/expr.h"

namespace elanus::expr {
namespace {

class Evaluator {
 public:
  Evaluator(Context& ctx, const ColumnSource& source) : ctx_(ctx), source_(source) {}

  Status Run(const Node& root, Bitset& matches) {
    matches.Resize(source_.rows());
    TRY(AskIndexes(root));
    for (begin_ = 0; begin_ < source_.rows(); begin_ += kBatchRows) {
      TRY(ctx_.CheckAlive());
      count_ = std::min(kBatchRows, source_.rows() - begin_);
      Words all{};
      for (size_t i = 0; i < count_; i += 64) {
        all[i / 64] = count_ - i >= 64 ? ~uint64_t{0} : (uint64_t{1} << (count_ - i)) - 1;
      }
      Tri result;
      TRY(Visit(root, all, result));
      for (size_t w = 0; w * 64 < count_; ++w) {
        matches.words()[begin_ / 64 + w] = result.yes[w] & all[w];
      }
    }
    return Sample(root, matches);
  }

 private:
  // The predicate form of a leaf that an index may know.
  static std::optional<model::Predicate> AsPredicate(const Node& node) {
    if (node.source.kind != Source::Kind::kColumn) return std::nullopt;
    model::Predicate predicate{.field = node.source.field, .type = node.source.type};
    if (node.kind == Node::Kind::kIsNull) {
      predicate.kind = model::Predicate::Kind::kIsNull;
      return predicate;
    }
    if (node.kind != Node::Kind::kTest) return std::nullopt;
    predicate.values = node.test.values;
    switch (node.test.kind) {
      case Test::Kind::kCompare:
        predicate.kind = model::Predicate::Kind::kCompare;
        predicate.op = node.test.op;
        return predicate;
      case Test::Kind::kIn:
        predicate.kind = model::Predicate::Kind::kIn;
        return predicate;
      case Test::Kind::kRange:
        predicate.kind = model::Predicate::Kind::kRange;
        predicate.lower_inclusive = node.test.lower_inclusive;
        predicate.upper_inclusive = node.test.upper_inclusive;
        return predicate;
      case Test::Kind::kLike:
        if (node.test.like->kind() == LikePattern::Kind::kPrefix) {
          predicate.kind = model::Predicate::Kind::kPrefix;
          predicate.values = {model::Scalar(node.test.like->literal())};
          return predicate;
        }
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }

  Status AskIndexes(const Node& root) {
    std::vector<const Node*> pending = {&root};
    while (!pending.empty()) {
      const Node& node = *pending.back();
      pending.pop_back();
      for (const NodePtr& child : node.children) pending.push_back(child.get());
      const auto predicate = AsPredicate(node);
      if (!predicate) continue;
      Bitset matches(source_.rows());
      TRY_ASSIGN(const bool answered, source_.Answer(ctx_, *predicate, matches));
      if (answered) answers_.emplace(&node, std::move(matches));
    }
    return {};
  }

  // An inner node under evaluation. Frames lie on the heap, so that the height of a tree costs no
  // stack; they stay for the next batch.
  struct Frame {
    const Node* node;
    size_t next;   // Child to visit.
    Words active;  // Rows the next child can still decide: not false under and, not true under or.
    Tri out;
  };

  static bool IsInner(const Node& node) {
    return node.kind == Node::Kind::kAnd || node.kind == Node::Kind::kOr ||
           node.kind == Node::Kind::kNot;
  }

  // The truth of `root` for the rows of the batch that are set in `active`.
  Status Visit(const Node& root, const Words& active, Tri& out) {
    if (!IsInner(root)) return VisitLeaf(root, active, out);
    size_t depth = 0;
    Enter(root, active, depth);
    while (true) {
      Frame& frame = frames_[depth];
      const auto& children = frame.node->children;
      if (frame.next < children.size() && !IsZero(frame.active)) {
        const Node& child = *children[frame.next++];
        if (IsInner(child)) {
          Enter(child, frame.active, ++depth);
        } else {
          leaf_.yes.fill(0);
          leaf_.unknown.fill(0);
          TRY(VisitLeaf(child, frame.active, leaf_));
          Fold(frame, leaf_);
        }
      } else if (depth == 0) {
        out = frame.out;
        return {};
      } else {
        Fold(frames_[--depth], frame.out);
      }
    }
  }

  void Enter(const Node& node, const Words& active, size_t depth) {
    if (frames_.size() <= depth) frames_.emplace_back();
    Frame& frame = frames_[depth];
    frame.node = &node;
    frame.next = 0;
    frame.active = active;
    frame.out.unknown.fill(0);
    if (node.kind == Node::Kind::kAnd)
      frame.out.yes = active;
    else
      frame.out.yes.fill(0);
  }

  // Takes a child's truth into its parent's. Bits of rows that were not active are zero.
  static void Fold(Frame& frame, const Tri& one) {
    Words& active = frame.active;
    Words& yes = frame.out.yes;
    Words& unknown = frame.out.unknown;
    for (size_t w = 0; w < kBatchWords; ++w) {
      switch (frame.node->kind) {
        case Node::Kind::kNot:
          yes[w] = active[w] & ~(one.yes[w] | one.unknown[w]);
          unknown[w] = one.unknown[w];
          break;
        case Node::Kind::kAnd:
          active[w] &= one.yes[w] | one.unknown[w];
          yes[w] &= one.yes[w];
          unknown[w] = active[w] & ~yes[w];
          break;
        default:
          active[w] &= ~one.yes[w];
          yes[w] |= one.yes[w];
          unknown[w] = (unknown[w] | one.unknown[w]) & active[w];
      }
    }
  }

  Status VisitLeaf(const Node& node, const Words& active, Tri& out) {
    if (node.kind == Node::Kind::kConstant || node.kind == Node::Kind::kSample) {
      // A sample is drawn from the whole segment at the end.
      if (node.kind == Node::Kind::kSample || node.constant) out.yes = active;
      return {};
    }
    const BatchRows rows{.count = count_, .active = &active};
    if (const auto answer = answers_.find(&node); answer != answers_.end()) {
      const uint64_t* words = answer->second.words() + begin_ / 64;
      for (size_t w = 0; w * 64 < count_; ++w) out.yes[w] = words[w];
      if (node.source.nullable && node.kind != Node::Kind::kIsNull) {
        TRY_ASSIGN(const model::ColumnView column, source_.Read(node.source.field, begin_, count_));
        for (size_t i = 0; i < count_; ++i) {
          if (!column.IsValid(i)) SetBit(out.unknown, i);
        }
        for (size_t w = 0; w < kBatchWords; ++w) out.yes[w] &= ~out.unknown[w];
      }
    } else {
      TRY_ASSIGN(const model::ColumnView column, source_.Read(node.source.field, begin_, count_));
      if (node.kind == Node::Kind::kIsNull) {
        for (size_t i = 0; i < count_; ++i) {
          if (!column.IsValid(i)) SetBit(out.yes, i);
        }
      } else if (node.kind == Node::Kind::kColumns) {
        TRY_ASSIGN(const model::ColumnView other, source_.Read(node.other.field, begin_, count_));
        CompareColumns(node, column, other, rows, out);
      } else if (node.kind == Node::Kind::kFunction) {
        node.evaluate(node, column, rows, out);
      } else if (node.source.kind == Source::Kind::kJson) {
        TestJson(node, column, rows, out);
      } else if (node.source.kind == Source::Kind::kColumn) {
        TestColumn(node, column, rows, out);
      } else {
        TestArray(node, column, rows, out);
      }
    }
    for (size_t w = 0; w < kBatchWords; ++w) {
      out.yes[w] &= active[w];
      out.unknown[w] &= active[w];
    }
    return {};
  }

  static bool IsZero(const Words& words) {
    return std::all_of(words.begin(), words.end(), [](uint64_t w) { return w == 0; });
  }

  // random_sample keeps a share of what passed the rest.
  Status Sample(const Node& root, Bitset& matches) {
    const Node* sample = root.kind == Node::Kind::kSample ? &root : nullptr;
    if (root.kind == Node::Kind::kAnd) {
      for (const NodePtr& child : root.children) {
        if (child->kind == Node::Kind::kSample) sample = child.get();
      }
    }
    if (sample == nullptr) return {};
    std::vector<size_t> rows;
    ForEachSet(matches.view(), [&](size_t i) { rows.push_back(i); });
    if (rows.empty()) return {};
    // Alone and above a half it is the dropped share that is rounded, as in the reference.
    const bool drops = sample == &root && sample->fraction > 0.5;
    const double share = drops ? 1 - sample->fraction : sample->fraction;
    const auto drawn =
        static_cast<size_t>(std::max(1.0, std::floor(static_cast<double>(rows.size()) * share)));
    const size_t kept = drops ? rows.size() - drawn : drawn;
    // Another draw for each evaluation; which one does not matter.
    static std::atomic<uint64_t> draws{0};
    std::mt19937_64 rng(draws.fetch_add(1));
    std::shuffle(rows.begin(), rows.end(), rng);
    for (size_t i = kept; i < rows.size(); ++i) matches.Clear(rows[i]);
    return {};
  }

  Context& ctx_;
  const ColumnSource& source_;
  std::map<const Node*, Bitset> answers_;
  std::deque<Frame> frames_;  // By depth; a deque, because a frame must stay where it is.
  Tri leaf_;
  size_t begin_ = 0;
  size_t count_ = 0;
};

}  // namespace

Status Evaluate(Context& ctx, const Plan& plan, const ColumnSource& source, Bitset& matches) {
  if (plan.always_true()) {
    matches.Resize(source.rows(), true);
    return {};
  }
  return Evaluator(ctx, source).Run(*plan.root(), matches);
}

}  // namespace elanus::expr
