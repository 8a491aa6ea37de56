// The steps of a chain as they run: columns by their places instead of names.
#pragma once

#include <optional>
#include <vector>

#include "model/decay_curve.h"
#include "model/score_chain.h"

namespace elanus::model {

/// A column that a step reads or writes.
struct ChainColumn {
  enum class Source { kKey, kScore, kSegmentRow, kGroup, kField, kOwn };
  Source source = Source::kScore;
  size_t place = 0;        // Of kField among the chain's fields, of kOwn among what it wrote.
  bool is_number = false;  // Its values can be reckoned with.
};

struct ChainOperand {
  std::optional<ChainColumn> column;  // Else:
  double literal = 0;
};

struct ScoreChain::Step {
  enum class Kind { kDecay, kCombine, kRound, kBoost, kForest, kModel, kSort, kLimit, kGroup };
  enum class Mode { kMultiply, kSum, kMax, kMin, kAvg, kWeighted };
  Kind kind = Kind::kLimit;
  // Of the first six.
  std::vector<ChainOperand> operands;
  ChainColumn output;
  DecayCurve curve;
  Mode mode = Mode::kMultiply;
  std::vector<double> weights;
  int decimals = 0;
  size_t call = 0;          // Of kBoost, kForest, kModel: among those of the chain.
  bool sums_score = false;  // Of kBoost: the factor is added.
  // Of the others.
  ChainColumn by;
  std::optional<ChainColumn> tie_break;
  bool is_descending = true;
  size_t group_size = 1;
  size_t limit = SIZE_MAX;
  size_t offset = 0;
};

}  // namespace elanus::model
