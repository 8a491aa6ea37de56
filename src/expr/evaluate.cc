// Evaluation: what indexes answer is asked first, once for the whole segment; then batch by batch
// each node yields the bits that are true and those that are unknown. Where indexes leave few rows,
// these are brought together, so that batches are full.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <random>
#include <span>

#include "expr/answers.h"
#include "expr/batch.h"
#include "expr/elements.h"
#include "expr/expr.h"
#include "expr/filter_profile.h"
#include "expr/gathered_rows.h"
#include "expr/leaf.h"

namespace elanus::expr {
namespace {

// At most one row in so many: below, what a batch costs whatever its rows is more than to bring
// them together.
constexpr size_t kFewShare = 64;

// How many rows a condition lets be brought together at once. They are copied: numbers are small,
// other values have up to 64 KB, and texts whose words are asked up to 2 MB.
size_t RowsTogether(const Node& root) {
  size_t rows = kBatchRows;
  std::vector<const Node*> pending{&root};
  while (!pending.empty()) {
    const Node& node = *pending.back();
    pending.pop_back();
    for (const NodePtr& child : node.children) pending.push_back(child.get());
    if (!node.children.empty() || node.kind == Node::Kind::kConstant) continue;
    const bool is_number = node.source.kind == Source::Kind::kColumn &&
                           node.kind != Node::Kind::kElements &&
                           model::WidthOf(node.source.type) != 0;
    if (!is_number) rows = std::min<size_t>(rows, node.words != nullptr ? 16 : 256);
  }
  return rows;
}

class Evaluator {
 public:
  Evaluator(Context& ctx, const ColumnSource& source) : ctx_(ctx), source_(source) {}

  Status Run(const Node& root, Bitset& matches) {
    const std::unique_ptr<FilterProfile> profile = FilterProfile::Make(ctx_, root, source_);
    profile_ = profile.get();
    TRY_ASSIGN(answers_, AskIndexes(ctx_, root, source_, profile_));
    Answer* known = answers_.Find(root);
    if (known != nullptr && known->is_exact()) {
      matches = std::move(known->yes);
    } else {
      // Of an `or` they are rows that pass, and others may.
      const bool bounds = known != nullptr && (root.kind == Node::Kind::kAnd ||
                                               known->coverage == model::Coverage::kCandidates);
      TRY(LookAmong(root, bounds ? &known->yes : nullptr, matches));
    }
    if (profile_ != nullptr) profile_->Write();
    return Sample(root, matches);
  }

  // Looks at the candidates, or at all rows.
  Status LookAmong(const Node& root, const Bitset* candidates, Bitset& matches) {
    if (candidates != nullptr) {
      auto rows = ListRows(candidates->view(), source_.rows() / kFewShare);
      if (rows) return LookAtFew(root, std::move(*rows), matches);
    }
    return Look(root, candidates, matches);
  }

 private:
  // Each conjunct at the rows that have passed those before.
  Status LookAtFew(const Node& root, std::vector<uint32_t> rows, Bitset& matches) {
    std::vector<const Node*> conjuncts;
    if (root.kind == Node::Kind::kAnd) {
      const Answer* known = answers_.Find(root);
      for (const NodePtr& child : known == nullptr ? root.children : known->rest) {
        conjuncts.push_back(child.get());
      }
    } else {
      conjuncts.push_back(&root);
    }
    for (const Node* conjunct : conjuncts) {
      DropTold(*conjunct, rows);
      if (rows.empty()) break;
      TRY(KeepPassing(*conjunct, rows));
    }
    matches.Resize(source_.rows());
    for (const uint32_t row : rows) matches.Set(row);
    return {};
  }

  Status KeepPassing(const Node& node, std::vector<uint32_t>& rows) const {
    const size_t together = RowsTogether(node);
    size_t kept = 0;
    for (size_t begin = 0; begin < rows.size(); begin += together) {
      const auto part = std::span(rows).subspan(begin, std::min(together, rows.size() - begin));
      const GatheredRows few(source_, part);
      Evaluator evaluator(ctx_, few);
      evaluator.profile_ = profile_;
      evaluator.answers_ = answers_.Gather(node, part);
      Bitset passed;
      TRY(evaluator.Look(node, nullptr, passed));
      // What is kept stands before what is still to be read.
      ForEachSet(passed.view(), [&](size_t i) { rows[kept++] = part[i]; });
    }
    rows.resize(kept);
    return {};
  }

  // Drops the rows of batches in which, as statistics say, none passes.
  void DropTold(const Node& node, std::vector<uint32_t>& rows) const {
    if (!HasStatistics(node)) return;
    size_t begin = SIZE_MAX;
    bool is_told = false;
    std::erase_if(rows, [&](uint32_t row) {
      if (const size_t of_row = row - row % kBatchRows; of_row != begin) {
        begin = of_row;
        const model::BlockStats* stats = source_.Stats(node.source.field, begin);
        is_told = stats != nullptr && Judge(node, *stats) == Verdict::kNone;
        if (is_told && profile_ != nullptr) profile_->Skipped(node);
      }
      return is_told;
    });
  }

  Status Look(const Node& root, const Bitset* candidates, Bitset& matches) {
    matches.Resize(source_.rows());
    for (begin_ = 0; begin_ < source_.rows(); begin_ += kBatchRows) {
      TRY(ctx_.CheckAlive());
      count_ = std::min(kBatchRows, source_.rows() - begin_);
      Words all{};
      for (size_t i = 0; i < count_; i += 64) {
        all[i / 64] = candidates != nullptr ? candidates->words()[(begin_ + i) / 64]
                      : count_ - i >= 64    ? ~uint64_t{0}
                                            : (uint64_t{1} << (count_ - i)) - 1;
      }
      if (candidates != nullptr && IsZero(all)) continue;
      Tri result;
      TRY(Visit(root, all, result));
      for (size_t w = 0; w * 64 < count_; ++w) {
        matches.words()[begin_ / 64 + w] = result.yes[w] & all[w];
      }
    }
    return {};
  }

  // An inner node under evaluation. Frames lie on the heap, so that the height of a tree costs no
  // stack; they stay for the next batch.
  struct Frame {
    const Node* node;
    std::span<const NodePtr> children;  // Those that indexes have not decided.
    size_t next;                        // Child to visit.
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
      if (frame.next < frame.children.size() && !IsZero(frame.active)) {
        const Node& child = *frame.children[frame.next++];
        const Answer* answer = answers_.Find(child);
        if (IsInner(child) && (answer == nullptr || !answer->is_exact())) {
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
    frame.children = node.children;
    frame.out.unknown.fill(0);
    if (node.kind == Node::Kind::kAnd)
      frame.out.yes = active;
    else
      frame.out.yes.fill(0);
    if (const Answer* answer = answers_.Find(node)) Start(*answer, frame);
  }

  // Takes in what indexes know of some of the children.
  void Start(const Answer& answer, Frame& frame) {
    frame.children = answer.rest;
    leaf_.yes.fill(0);
    leaf_.unknown.fill(0);
    Take(answer, frame.active, leaf_);
    Fold(frame, leaf_);
  }

  // The bits of an answer for the batch.
  void Take(const Answer& answer, const Words& active, Tri& out) const {
    for (size_t w = 0; w * 64 < count_; ++w) {
      out.yes[w] = answer.yes.words()[begin_ / 64 + w] & active[w];
      if (answer.unknown.size() > 0) {
        out.unknown[w] = answer.unknown.words()[begin_ / 64 + w] & active[w];
      }
    }
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
    const Answer* answer = answers_.Find(node);
    if (answer != nullptr && answer->is_exact()) {
      Take(*answer, active, out);
      return {};
    }
    Tri candidates;
    const Words* looked_at = &active;
    if (answer != nullptr) {
      Take(*answer, active, candidates);
      looked_at = &candidates.yes;
    }
    const int64_t begin_ns = profile_ == nullptr ? 0 : ProfileClockNs();
    TRY(Scan(node, {.count = count_, .active = looked_at}, out));
    for (size_t w = 0; w < kBatchWords; ++w) {
      out.yes[w] &= (*looked_at)[w];
      out.unknown[w] = (out.unknown[w] & (*looked_at)[w]) | candidates.unknown[w];
    }
    if (profile_ != nullptr) {
      profile_->Looked(node, *looked_at, out.yes, ProfileClockNs() - begin_ns);
    }
    return {};
  }

  // Looks at the rows. Bits of rows that are not active mean nothing.
  Status Scan(const Node& node, const BatchRows& rows, Tri& out) {
    if (IsZero(*rows.active)) return {};
    if (node.kind == Node::Kind::kElements) {
      return TestElements(ctx_, node, source_, begin_, count_, out.yes);
    }
    const bool is_column = node.source.kind == Source::Kind::kColumn;
    Verdict verdict = Verdict::kMixed;
    if (HasStatistics(node)) {
      const model::BlockStats* stats = source_.Stats(node.source.field, begin_);
      if (stats != nullptr) verdict = Judge(node, *stats);
      if (verdict != Verdict::kMixed && stats->nulls == 0) {
        if (verdict == Verdict::kAll) out.yes = *rows.active;
        if (profile_ != nullptr) profile_->Skipped(node);
        return {};
      }
    }
    // A filter may have hundreds of leaves that take milliseconds a batch.
    TRY(ctx_.CheckAlive());
    TRY_ASSIGN(const model::ColumnView column, source_.Read(node.source.field, begin_, count_));
    if (verdict != Verdict::kMixed) {  // All that is open is which rows are null.
      ForEachActive(column, rows, out, [&](size_t) { return verdict == Verdict::kAll; });
    } else if (node.kind == Node::Kind::kIsNull) {
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
    } else if (is_column) {
      TestColumn(node, column, rows, out);
    } else {
      TestArray(node, column, rows, out);
    }
    return {};
  }

  // Whether those of its column may tell how it ends.
  static bool HasStatistics(const Node& node) {
    const bool is_test =
        node.kind == Node::Kind::kTest && node.source.kind == Source::Kind::kColumn;
    return is_test || node.spatial != nullptr;
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
  FilterProfile* profile_ = nullptr;  // Null: nobody asked.
  Answers answers_;
  std::deque<Frame> frames_;  // By depth; a deque, because a frame must stay where it is.
  Tri leaf_;
  size_t begin_ = 0;
  size_t count_ = 0;
};

}  // namespace

Status EvaluateAmong(Context& ctx, const Plan& plan, const ColumnSource& source,
                     const Bitset& candidates, Bitset& matches) {
  if (plan.always_true()) {
    matches = candidates;
    return {};
  }
  return Evaluator(ctx, source).LookAmong(*plan.root(), &candidates, matches);
}

bool HasSample(const Plan& plan) {
  const Node* last = plan.root();
  if (last != nullptr && last->kind == Node::Kind::kAnd) last = last->children.back().get();
  return last != nullptr && last->kind == Node::Kind::kSample;
}

Status Evaluate(Context& ctx, const Plan& plan, const ColumnSource& source, Bitset& matches) {
  if (plan.always_true()) {
    matches.Resize(source.rows(), true);
    return {};
  }
  return Evaluator(ctx, source).Run(*plan.root(), matches);
}

}  // namespace elanus::expr
