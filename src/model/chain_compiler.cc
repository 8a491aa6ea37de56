// From the steps of a request to a chain that runs.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "model/chain_step.h"
#include "model/order.h"
#include "model/score_chain.h"

namespace elanus::model {
namespace {

using Step = ScoreChain::Step;
using Source = ChainColumn::Source;
using Params = std::map<std::string, Scalar>;

const Scalar* Find(const Params& params, const std::string& key) {
  const auto found = params.find(key);
  return found == params.end() ? nullptr : &found->second;
}

Result<double> NumberParam(const Params& params, const std::string& key,
                           std::optional<double> fallback) {
  const Scalar* value = Find(params, key);
  if (value == nullptr) {
    if (fallback) return *fallback;
    return Invalid("function chain: the parameter {} is missing", key);
  }
  if (!value->is_int() && !value->is_double())
    return Invalid("function chain: {} should be a number", key);
  return value->number();
}

Result<int64_t> IntegerParam(const Params& params, const std::string& key,
                             std::optional<int64_t> fallback) {
  const Scalar* value = Find(params, key);
  if (value == nullptr && fallback) return *fallback;
  if (value == nullptr || !value->is_int())
    return Invalid("function chain: {} should be an integer", key);
  return value->as_int();
}

Result<std::string> TextParam(const Params& params, const std::string& key,
                              const std::string& fallback) {
  const Scalar* value = Find(params, key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) return Invalid("function chain: {} should be a text", key);
  return value->as_string();
}

Result<DecayCurve> ParseCurve(const Params& params) {
  DecayCurve curve;
  TRY_ASSIGN(const std::string shape, TextParam(params, "function", ""));
  if (shape == "gauss") {
    curve.shape = DecayCurve::Shape::kGauss;
  } else if (shape == "exp") {
    curve.shape = DecayCurve::Shape::kExp;
  } else if (shape == "linear") {
    curve.shape = DecayCurve::Shape::kLinear;
  } else {
    return Invalid("function chain: {} is no decay function, use gauss, exp or linear", shape);
  }
  constexpr double kDecayMin = 0.001;
  constexpr double kDecayMax = 0.999;
  TRY_ASSIGN(curve.origin, NumberParam(params, "origin", std::nullopt));
  TRY_ASSIGN(curve.scale, NumberParam(params, "scale", std::nullopt));
  TRY_ASSIGN(curve.offset, NumberParam(params, "offset", 0));
  TRY_ASSIGN(curve.decay, NumberParam(params, "decay", curve.decay));
  if (!(curve.scale > 0)) return Invalid("function chain: scale should be above 0");
  if (!(curve.offset >= 0)) return Invalid("function chain: offset should not be below 0");
  if (!(curve.decay >= kDecayMin && curve.decay <= kDecayMax))
    return Invalid("function chain: decay should be in [{}, {}]", kDecayMin, kDecayMax);
  return curve;
}

Result<Step::Mode> ParseMode(const Params& params) {
  static const std::map<std::string, Step::Mode> kModes = {
      {"multiply", Step::Mode::kMultiply}, {"sum", Step::Mode::kSum},
      {"max", Step::Mode::kMax},           {"min", Step::Mode::kMin},
      {"avg", Step::Mode::kAvg},           {"weighted", Step::Mode::kWeighted}};
  TRY_ASSIGN(const std::string name, TextParam(params, "mode", "multiply"));
  const auto found = kModes.find(name);
  if (found == kModes.end()) return Invalid("function chain: {} is no mode of num_combine", name);
  return found->second;
}

Result<std::vector<double>> ParseWeights(const Params& params, size_t count) {
  const Scalar* list = Find(params, "weights");
  if (list == nullptr || !list->is_list() || list->as_list().size() != count)
    return Invalid("function chain: weights should be a list of {} numbers", count);
  std::vector<double> weights;
  for (const Scalar& weight : list->as_list()) {
    if (!weight.is_int() && !weight.is_double())
      return Invalid("function chain: weights should be numbers");
    weights.push_back(weight.number());
  }
  return weights;
}

// A name that is none of the function's would be read by nobody.
Status CheckNames(const Params& params, std::initializer_list<std::string_view> known,
                  std::string_view function) {
  for (const auto& [name, value] : params) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Invalid("function chain: {} has no parameter {}", function, name);
  }
  return {};
}

// random_score is an object; the wire writes its members as names with a dot.
Result<Boost> ParseBoost(const Params& params, const CollectionSchema& schema) {
  static const std::string kRandom = "random_score";
  TRY(CheckNames(
      params,
      {"weight", "filter", "boost_mode", kRandom, "random_score.seed", "random_score.field"},
      "boost_score"));
  Boost boost;
  TRY_ASSIGN(boost.weight, NumberParam(params, "weight", std::nullopt));
  TRY_ASSIGN(boost.filter, TextParam(params, "filter", ""));
  const Scalar* random = Find(params, kRandom);
  if (random == nullptr) return boost;
  if (!random->is_null())
    return Invalid("function chain: random_score should be an object with seed and field");
  boost.is_random = true;
  TRY_ASSIGN(boost.seed, IntegerParam(params, "random_score.seed", 0));
  TRY_ASSIGN(const std::string name, TextParam(params, "random_score.field", ""));
  if (name.empty()) return boost;
  const FieldSchema* field = schema.FindField(name);
  if (field == nullptr || field->type != DataType::kInt64)
    return Invalid("the field of random_score should be an Int64 field, got {}", name);
  boost.random_field = field->id;
  return boost;
}

Result<bool> ParseBoostMode(const Params& params) {
  TRY_ASSIGN(const std::string mode, TextParam(params, "boost_mode", "multiply"));
  if (mode == "multiply" || mode == "sum") return mode == "sum";
  return Invalid("function chain: boost_mode should be multiply or sum, got {}", mode);
}

// A parameter of a model's service as text, which all services' parameters are.
Result<std::string> ServiceText(const std::string& name, const Scalar& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_bool()) return std::string(value.as_bool() ? "true" : "false");
  if (value.is_int()) return std::to_string(value.as_int());
  if (value.is_double()) return fmt::format("{}", value.as_double());
  return Invalid("function chain: {} of rerank_model should be a text, a number or a bool", name);
}

Result<ChainModel> ParseModel(const Params& params) {
  ChainModel model;
  const Scalar* queries = Find(params, "queries");
  if (queries == nullptr || !queries->is_list() || queries->as_list().empty())
    return Invalid("function chain: the queries of rerank_model should be a list of texts");
  for (const Scalar& query : queries->as_list()) {
    if (!query.is_string() || query.as_string().empty())
      return Invalid("function chain: the queries of rerank_model should be texts, none empty");
    model.queries.push_back(query.as_string());
  }
  for (const auto& [name, value] : params) {
    if (name == "queries") continue;
    TRY_ASSIGN(std::string text, ServiceText(name, value));
    model.params.push_back({.key = name, .value = std::move(text)});
  }
  return model;
}

}  // namespace

class ChainCompiler {
 public:
  ChainCompiler(ChainStage stage, const CollectionSchema& schema)
      : stage_(stage), schema_(schema) {}

  Result<ScoreChain> Run(const std::vector<ChainStep>& steps) {
    if (steps.empty()) return Invalid("a function chain needs at least one step");
    for (const ChainStep& step : steps) TRY(Add(step));
    return std::move(chain_);
  }

 private:
  Status Add(const ChainStep& from) {
    Step step;
    if (from.op == "map") {
      TRY(CompileMap(from, step));
    } else if (from.op == "sort") {
      TRY(CompileSort(from, step));
    } else if (from.op == "limit") {
      step.kind = Step::Kind::kLimit;
      TRY(CompileWindow(from, /*needs_limit=*/true, step));
    } else if (from.op == "group_by") {
      TRY(CompileGroup(from, step));
    } else if (from.op == "select") {
      return Select(from);
    } else if (from.op == "filter") {
      return Invalid("function chain: the expression {} of a filter gives no bool",
                     from.expression.name);
    } else if (from.op == "merge") {
      return Invalid("function chain: there is nothing to merge in a single search");
    } else {
      return Invalid("unknown operator type: {}", from.op);
    }
    chain_.steps_.push_back(std::make_shared<const Step>(std::move(step)));
    return {};
  }

  Result<ChainColumn> Column(const std::string& name) {
    if (selected_ && !selected_->contains(name) && name != "$id" && name != "$score")
      return Invalid("function chain: column {} was not selected", name);
    if (name == "$score") return ChainColumn{.source = Source::kScore, .is_number = true};
    if (name == "$id") {
      return ChainColumn{.source = Source::kKey,
                         .is_number = schema_.primary_key().type == DataType::kInt64};
    }
    if (name == "$seg_offset" && stage_ == ChainStage::kSegment)
      return ChainColumn{.source = Source::kSegmentRow, .is_number = true};
    if (name == "$group_by" && stage_ == ChainStage::kMerged)
      return ChainColumn{.source = Source::kGroup};
    if (const auto own = own_.find(name); own != own_.end())
      return ChainColumn{.source = Source::kOwn, .place = own->second, .is_number = true};
    const FieldSchema* field = schema_.FindField(name);
    if (field == nullptr) return Invalid("function chain: there is no column {}", name);
    if (!IsOrdered(field->type)) {
      return Invalid("function chain: field {} of type {} cannot be read", name,
                     NameOf(field->type));
    }
    const auto found = std::find(chain_.fields_.begin(), chain_.fields_.end(), field->id);
    const auto place = static_cast<size_t>(found - chain_.fields_.begin());
    Reads(field->id);
    return ChainColumn{.source = Source::kField,
                       .place = place,
                       .is_number = IsInteger(field->type) || IsFloating(field->type)};
  }

  void Reads(FieldId field) {
    const auto found = std::find(chain_.fields_.begin(), chain_.fields_.end(), field);
    if (found == chain_.fields_.end()) chain_.fields_.push_back(field);
  }

  // What a step writes. It can be read from the next step on.
  Result<ChainColumn> Output(const ChainStep& from) {
    if (from.outputs.size() != 1)
      return Invalid("function chain: map writes one column, got {}", from.outputs.size());
    const std::string& name = from.outputs[0];
    if (name == "$score") return ChainColumn{.source = Source::kScore};
    if (name.empty() || name[0] == '$' || schema_.FindField(name) != nullptr)
      return Invalid("function chain: column {} cannot be written", name);
    const size_t place = own_.emplace(name, own_.size()).first->second;
    chain_.own_columns_ = own_.size();
    if (selected_) selected_->insert(name);
    return ChainColumn{.source = Source::kOwn, .place = place};
  }

  Result<ChainOperand> Operand(const ChainArgument& from, const std::string& function) {
    ChainOperand operand;
    if (from.column.empty()) {
      if (!from.literal.is_int() && !from.literal.is_double())
        return Invalid("function chain: {} takes columns and numbers", function);
      operand.literal = from.literal.number();
      return operand;
    }
    TRY_ASSIGN(operand.column, Column(from.column));
    if (!operand.column->is_number)
      return Invalid("function chain: {} takes numbers, column {} has none", function, from.column);
    return operand;
  }

  Status CompileMap(const ChainStep& from, Step& step) {
    const ChainExpression& expression = from.expression;
    const std::string& name = expression.name;
    if (name.empty()) return Invalid("function chain: map needs an expression");
    std::vector<ChainArgument> arguments = expression.arguments;
    if (arguments.empty()) {
      for (const std::string& input : from.inputs) arguments.push_back({.column = input});
    }
    if (name == "rerank_model") return CompileModel(from, arguments, step);
    if (name == "boost_score" && arguments.empty()) arguments.push_back({.column = "$score"});
    for (const ChainArgument& argument : arguments) {
      TRY_ASSIGN(ChainOperand operand, Operand(argument, name));
      step.operands.push_back(operand);
    }
    if (name == "xgboost") return CompileForest(from, step);
    const bool combines = name == "num_combine";
    if (combines ? arguments.size() < 2 : arguments.size() != 1)
      return Invalid("function chain: {} takes {}, got {}", name,
                     combines ? "two columns or more" : "one column", arguments.size());
    if (name == "decay") {
      step.kind = Step::Kind::kDecay;
      TRY_ASSIGN(step.curve, ParseCurve(expression.params));
    } else if (combines) {
      step.kind = Step::Kind::kCombine;
      TRY_ASSIGN(step.mode, ParseMode(expression.params));
      if (step.mode == Step::Mode::kWeighted) {
        TRY_ASSIGN(step.weights, ParseWeights(expression.params, arguments.size()));
      }
    } else if (name == "boost_score") {
      TRY(CompileBoost(expression.params, step));
    } else if (name == "round_decimal") {
      step.kind = Step::Kind::kRound;
      TRY_ASSIGN(const int64_t decimals, IntegerParam(expression.params, "decimal", std::nullopt));
      constexpr int64_t kDecimalsMax = 6;
      if (decimals < 0 || decimals > kDecimalsMax)
        return Invalid("function chain: decimal should be in [0, {}]", kDecimalsMax);
      step.decimals = static_cast<int>(decimals);
    } else {
      return Invalid("function chain: unknown function {}", name);
    }
    TRY_ASSIGN(step.output, Output(from));
    return {};
  }

  Status CompileBoost(const Params& params, Step& step) {
    if (stage_ != ChainStage::kSegment)
      return Invalid("function chain: boost_score belongs to the stage in segments (L0)");
    step.kind = Step::Kind::kBoost;
    step.call = chain_.boosts_.size();
    TRY_ASSIGN(Boost boost, ParseBoost(params, schema_));
    TRY_ASSIGN(step.sums_score, ParseBoostMode(params));
    chain_.boosts_.push_back(std::move(boost));
    return {};
  }

  Status CompileForest(const ChainStep& from, Step& step) {
    const Params& params = from.expression.params;
    TRY(CheckNames(params, {"model_resource", "output"}, "xgboost"));
    if (step.operands.empty()) return Invalid("function chain: xgboost needs columns");
    step.kind = Step::Kind::kForest;
    step.call = chain_.forests_.size();
    ChainForest forest{.features = step.operands.size()};
    TRY_ASSIGN(forest.resource, TextParam(params, "model_resource", ""));
    if (forest.resource.empty())
      return Invalid("function chain: the parameter model_resource is missing");
    TRY_ASSIGN(const std::string output, TextParam(params, "output", "default"));
    if (output != "default" && output != "raw")
      return Invalid("function chain: output should be default or raw, got {}", output);
    forest.is_raw = output == "raw";
    chain_.forests_.push_back(std::move(forest));
    TRY_ASSIGN(step.output, Output(from));
    return {};
  }

  Status CompileModel(const ChainStep& from, const std::vector<ChainArgument>& arguments,
                      Step& step) {
    if (stage_ != ChainStage::kMerged)
      return Invalid("function chain: rerank_model belongs to the stage of merged hits (L2)");
    if (arguments.size() != 1 || arguments[0].column.empty())
      return Invalid("function chain: rerank_model takes one column, got {}", arguments.size());
    const std::string& name = arguments[0].column;
    if (selected_ && !selected_->contains(name))
      return Invalid("function chain: column {} was not selected", name);
    const FieldSchema* field = schema_.FindField(name);
    if (field == nullptr || (field->type != DataType::kVarChar && field->type != DataType::kText))
      return Invalid("function chain: rerank_model takes a VarChar or Text field, got {}", name);
    step.kind = Step::Kind::kModel;
    step.call = chain_.models_.size();
    TRY_ASSIGN(ChainModel model, ParseModel(from.expression.params));
    model.field = field->id;
    Reads(field->id);
    chain_.models_.push_back(std::move(model));
    TRY_ASSIGN(step.output, Output(from));
    return {};
  }

  // The column that a step goes by: its first input, or a parameter.
  Result<std::string> By(const ChainStep& from, size_t input, const std::string& key) {
    if (from.inputs.size() > input) return from.inputs[input];
    return TextParam(from.params, key, "");
  }

  Status CompileSort(const ChainStep& from, Step& step) {
    step.kind = Step::Kind::kSort;
    TRY_ASSIGN(const std::string by, By(from, 0, "column"));
    if (by.empty()) return Invalid("function chain: sort needs a column");
    TRY_ASSIGN(step.by, Column(by));
    TRY_ASSIGN(const std::string tie_break, By(from, 1, "tie_break_col"));
    if (!tie_break.empty()) {
      TRY_ASSIGN(step.tie_break, Column(tie_break));
    }
    const Scalar* descending = Find(from.params, "desc");
    if (descending == nullptr) return {};
    if (!descending->is_bool()) return Invalid("function chain: desc should be a bool");
    step.is_descending = descending->as_bool();
    return {};
  }

  Status CompileWindow(const ChainStep& from, bool needs_limit, Step& step) {
    if (needs_limit || Find(from.params, "limit") != nullptr) {
      TRY_ASSIGN(const int64_t limit, IntegerParam(from.params, "limit", std::nullopt));
      if (limit <= 0) return Invalid("function chain: limit should be above 0, got {}", limit);
      step.limit = static_cast<size_t>(limit);
    }
    TRY_ASSIGN(const int64_t offset, IntegerParam(from.params, "offset", 0));
    if (offset < 0) return Invalid("function chain: offset should not be below 0, got {}", offset);
    step.offset = static_cast<size_t>(offset);
    return {};
  }

  Status CompileGroup(const ChainStep& from, Step& step) {
    step.kind = Step::Kind::kGroup;
    TRY_ASSIGN(const std::string by, By(from, 0, "column"));
    TRY_ASSIGN(step.by, Column(by));
    if (step.by.source != Source::kField && step.by.source != Source::kGroup &&
        step.by.source != Source::kKey)
      return Invalid("function chain: hits cannot be grouped by column {}", by);
    TRY_ASSIGN(const int64_t size, IntegerParam(from.params, "group_size", 1));
    if (size <= 0) return Invalid("function chain: group_size should be above 0, got {}", size);
    step.group_size = static_cast<size_t>(size);
    return CompileWindow(from, /*needs_limit=*/false, step);
  }

  // Only these columns, the key and the score can be read afterwards.
  Status Select(const ChainStep& from) {
    if (from.inputs.empty()) return Invalid("function chain: select needs columns");
    for (const std::string& name : from.inputs) TRY(Column(name).status());
    selected_.emplace(from.inputs.begin(), from.inputs.end());
    return {};
  }

  const ChainStage stage_;
  const CollectionSchema& schema_;
  ScoreChain chain_;
  std::map<std::string, size_t> own_;              // What steps wrote.
  std::optional<std::set<std::string>> selected_;  // Once there: nothing else can be read.
};

Result<ScoreChain> ScoreChain::Compile(const std::vector<ChainStep>& steps, ChainStage stage,
                                       const CollectionSchema& schema) {
  return ChainCompiler(stage, schema).Run(steps);
}

}  // namespace elanus::model
