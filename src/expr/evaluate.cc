// Evaluation: batch by batch, each node yields the bits that are true and those that are unknown.
// Leaves over plain columns are offered to an index first, once for the whole segment.
#include <algorithm>
#include <atomic>
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

  Status AskIndexes(const Node& node) {
    if (const auto predicate = AsPredicate(node)) {
      Bitset matches(source_.rows());
      TRY_ASSIGN(const bool answered, source_.Answer(ctx_, *predicate, matches));
      if (answered) answers_.emplace(&node, std::move(matches));
    }
    for (const NodePtr& child : node.children) TRY(AskIndexes(*child));
    return {};
  }

  Status Visit(const Node& node, const Words& active, Tri& out) {
    switch (node.kind) {
      case Node::Kind::kConstant:
        if (node.constant) out.yes = active;
        return {};
      case Node::Kind::kSample:  // Applied to the whole segment at the end.
        out.yes = active;
        return {};
      case Node::Kind::kNot: {
        TRY(Visit(*node.children[0], active, out));
        for (size_t w = 0; w < kBatchWords; ++w) {
          out.yes[w] = active[w] & ~(out.yes[w] | out.unknown[w]);
        }
        return {};
      }
      case Node::Kind::kAnd:
        return VisitAnd(node, active, out);
      case Node::Kind::kOr:
        return VisitOr(node, active, out);
      default:
        return VisitLeaf(node, active, out);
    }
  }

  Status VisitAnd(const Node& node, const Words& active, Tri& out) {
    Words alive = active;  // Not false so far.
    out.yes = active;
    for (const NodePtr& child : node.children) {
      if (IsZero(alive)) break;
      Tri one;
      TRY(Visit(*child, alive, one));
      for (size_t w = 0; w < kBatchWords; ++w) {
        alive[w] &= one.yes[w] | one.unknown[w];
        out.yes[w] &= one.yes[w];
      }
    }
    for (size_t w = 0; w < kBatchWords; ++w) {
      out.yes[w] &= alive[w];
      out.unknown[w] = alive[w] & ~out.yes[w];
    }
    return {};
  }

  Status VisitOr(const Node& node, const Words& active, Tri& out) {
    Words open = active;  // Not true so far.
    for (const NodePtr& child : node.children) {
      if (IsZero(open)) break;
      Tri one;
      TRY(Visit(*child, open, one));
      for (size_t w = 0; w < kBatchWords; ++w) {
        out.yes[w] |= one.yes[w] & open[w];
        out.unknown[w] |= one.unknown[w];
        open[w] &= ~one.yes[w];
      }
    }
    for (size_t w = 0; w < kBatchWords; ++w) out.unknown[w] &= open[w];
    return {};
  }

  Status VisitLeaf(const Node& node, const Words& active, Tri& out) {
    const BatchRows rows{.count = count_, .active = &active};
    if (const auto answer = answers_.find(&node); answer != answers_.end()) {
      const uint64_t* words = answer->second.words() + begin_ / 64;
      for (size_t w = 0; w * 64 < count_; ++w) out.yes[w] = words[w];
      if (node.source.nullable) {
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
    const double share = sample->fraction;
    const auto kept =
        static_cast<size_t>(std::max(1.0, std::floor(static_cast<double>(rows.size()) * share)));
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
