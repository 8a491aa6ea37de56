// Running a chain.
#include "model/score_chain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "model/chain_step.h"
#include "model/groups.h"
#include "model/order.h"

namespace elanus::model {
namespace {

using Step = ScoreChain::Step;
using Source = ChainColumn::Source;

double NumberAt(const ColumnView& values, size_t row) {
  switch (values.type) {
    case DataType::kInt8:
      return values.Get<int8_t>(row);
    case DataType::kInt16:
      return values.Get<int16_t>(row);
    case DataType::kInt32:
      return values.Get<int32_t>(row);
    case DataType::kInt64:
      return static_cast<double>(values.Get<int64_t>(row));
    case DataType::kFloat:
      return values.Get<float>(row);
    default:
      return values.Get<double>(row);
  }
}

int CompareNumbers(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return int(std::isnan(a)) - int(std::isnan(b));
  return a < b ? -1 : a > b;
}

// One run over the hits of a query, which count from 0 here.
class ChainRun {
 public:
  ChainRun(const ChainInput& input, std::span<const uint32_t> places,
           const std::vector<float>& scores, size_t own_columns)
      : input_(input), places_(places), own_(own_columns), order_(places.size()) {
    for (uint32_t place : places) scores_.push_back(scores[place]);
    std::iota(order_.begin(), order_.end(), 0);
  }

  Status Do(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kDecay:
      case Step::Kind::kCombine:
      case Step::Kind::kRound:
      case Step::Kind::kBoost:
      case Step::Kind::kForest:
        return Map(step);
      case Step::Kind::kModel:
        return Ask(step);
      case Step::Kind::kSort:
        return Sort(step);
      case Step::Kind::kLimit:
        Cut(step);
        return {};
      case Step::Kind::kGroup:
        return Group(step);
    }
    return {};
  }

  void Finish(std::vector<uint32_t>& places, std::vector<float>& scores) const {
    std::vector<uint32_t> kept;
    for (size_t hit : order_) {
      kept.push_back(places_[hit]);
      scores[places_[hit]] = static_cast<float>(scores_[hit]);
    }
    places = std::move(kept);
  }

 private:
  // NaN: a null.
  double ValueAt(const ChainOperand& operand, size_t hit) const {
    if (!operand.column) return operand.literal;
    const ChainColumn& column = *operand.column;
    if (column.source == Source::kScore) return scores_[hit];
    if (column.source == Source::kOwn) return own_[column.place][hit];
    if (column.source == Source::kSegmentRow) return input_.segment_rows[places_[hit]];
    const ColumnView& view = ViewOf(column);
    return view.IsValid(places_[hit]) ? NumberAt(view, places_[hit])
                                      : std::numeric_limits<double>::quiet_NaN();
  }
  const ColumnView& ViewOf(const ChainColumn& column) const {
    if (column.source == Source::kKey) return input_.keys;
    return column.source == Source::kGroup ? input_.groups[0] : input_.fields[column.place];
  }
  Status CheckGroup(const ChainColumn& column) const {
    if (column.source != Source::kGroup || input_.groups.size() == 1) return {};
    return Invalid("$group_by is there only in a search that is grouped by one field");
  }

  double Combine(const Step& step, size_t hit) const {
    const auto value = [&](size_t i) {
      const double number = ValueAt(step.operands[i], hit);
      return std::isnan(number) ? 0 : number;
    };
    double result = step.mode == Step::Mode::kWeighted ? step.weights[0] * value(0) : value(0);
    for (size_t i = 1; i < step.operands.size(); ++i) {
      const double next = value(i);
      switch (step.mode) {
        case Step::Mode::kMultiply:
          result *= next;
          break;
        case Step::Mode::kSum:
        case Step::Mode::kAvg:
          result += next;
          break;
        case Step::Mode::kMax:
          result = std::max(result, next);
          break;
        case Step::Mode::kMin:
          result = std::min(result, next);
          break;
        case Step::Mode::kWeighted:
          result += step.weights[i] * next;
          break;
      }
    }
    const auto count = static_cast<double>(step.operands.size());
    return step.mode == Step::Mode::kAvg ? result / count : result;
  }

  double Predict(const Step& step, size_t hit) {
    features_.clear();
    for (const ChainOperand& operand : step.operands) {
      features_.push_back(static_cast<float>(ValueAt(operand, hit)));
    }
    return input_.predict(step.call, features_);
  }

  double Compute(const Step& step, size_t hit) {
    if (step.kind == Step::Kind::kCombine) return Combine(step, hit);
    if (step.kind == Step::Kind::kForest) return Predict(step, hit);
    const double value = ValueAt(step.operands[0], hit);
    if (std::isnan(value)) return 0;
    if (step.kind == Step::Kind::kBoost) {
      const double factor = input_.factors[step.call][places_[hit]];
      if (std::isnan(factor)) return value;
      return step.sums_score ? value + factor : value * factor;
    }
    if (step.kind == Step::Kind::kDecay) return step.curve.FactorAt(value);
    const double scale = std::pow(10.0, step.decimals);
    return std::floor(value * scale + 0.5) / scale;
  }

  void Write(const Step& step, std::vector<double> values) {
    (step.output.source == Source::kScore ? scores_ : own_[step.output.place]) = std::move(values);
  }

  Status Map(const Step& step) {
    for (const ChainOperand& operand : step.operands) {
      if (operand.column) TRY(CheckGroup(*operand.column));
    }
    std::vector<double> values(places_.size());
    for (size_t hit : order_) values[hit] = Compute(step, hit);
    Write(step, std::move(values));
    return {};
  }

  // Only for the hits that are left: each costs the model's time.
  Status Ask(const Step& step) {
    std::vector<uint32_t> places;
    places.reserve(order_.size());
    for (size_t hit : order_) places.push_back(places_[hit]);
    std::vector<double> answers(places.size());
    if (!places.empty()) TRY(input_.ask(step.call, places, answers));
    std::vector<double> values(places_.size());
    for (size_t i = 0; i < order_.size(); ++i) values[order_[i]] = answers[i];
    Write(step, std::move(values));
    return {};
  }

  int Compare(const ChainColumn& column, bool is_descending, size_t a, size_t b) const {
    if (column.source == Source::kScore || column.source == Source::kOwn ||
        column.source == Source::kSegmentRow) {
      const ChainOperand operand{.column = column};
      const int order = CompareNumbers(ValueAt(operand, a), ValueAt(operand, b));
      return is_descending ? -order : order;
    }
    const OrderField field{.field = {}, .is_descending = is_descending, .nulls_first = false};
    const ColumnView& view = ViewOf(column);
    return CompareInOrder(field, view, places_[a], view, places_[b]);
  }

  Status Sort(const Step& step) {
    TRY(CheckGroup(step.by));
    if (step.tie_break) TRY(CheckGroup(*step.tie_break));
    std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
      const int order = Compare(step.by, step.is_descending, a, b);
      if (order != 0 || !step.tie_break) return order < 0;
      return Compare(*step.tie_break, /*is_descending=*/false, a, b) < 0;
    });
    return {};
  }

  void Cut(const Step& step) {
    const size_t begin = std::min(step.offset, order_.size());
    const size_t end = begin + std::min(step.limit, order_.size() - begin);
    order_ = {order_.begin() + static_cast<ptrdiff_t>(begin),
              order_.begin() + static_cast<ptrdiff_t>(end)};
  }

  // Groups in the order of their first hits, each with its first ones.
  Status Group(const Step& step) {
    TRY(CheckGroup(step.by));
    const ColumnView& view = ViewOf(step.by);
    Groups groups(order_.size() + 1, step.group_size);
    for (size_t hit : order_) {
      groups.Add(GroupText({&view, 1}, places_[hit]), static_cast<uint32_t>(hit));
    }
    order_.clear();
    const auto& members = groups.members();
    const size_t begin = std::min(step.offset, members.size());
    const size_t end = begin + std::min(step.limit, members.size() - begin);
    for (size_t i = begin; i < end; ++i) {
      order_.insert(order_.end(), members[i].begin(), members[i].end());
    }
    return {};
  }

  const ChainInput& input_;
  const std::span<const uint32_t> places_;
  std::vector<double> scores_;
  std::vector<std::vector<double>> own_;
  std::vector<size_t> order_;    // The hits that are left.
  std::vector<float> features_;  // Of the hit that is being looked at.
};

}  // namespace

Status ScoreChain::Run(const ChainInput& input, std::vector<uint32_t>& places,
                       std::vector<float>& scores) const {
  ChainRun run(input, places, scores, own_columns_);
  for (const auto& step : steps_) TRY(run.Do(*step));
  run.Finish(places, scores);
  return {};
}

}  // namespace elanus::model
