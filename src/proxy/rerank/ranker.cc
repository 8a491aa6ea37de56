// Rerank functions of requests.
#include "proxy/rerank/ranker.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "expr/expr.h"
#include "proxy/checks.h"
#include "proxy/json_text.h"
#include "proxy/ops/search_params.h"

namespace elanus::proxy {
namespace {

using model::KeyValue;

constexpr double kRrfKEnd = 16384;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return lower;
}

// The value of a parameter whose name is written in any case, or null.
const std::string* FindAnyCase(const std::vector<KeyValue>& list, std::string_view key) {
  for (const KeyValue& pair : list) {
    if (Lower(pair.key) == key) return &pair.value;
  }
  return nullptr;
}

Status SetRrf(double k, Ranker& ranker) {
  if (!(k > 0 && k < kRrfKEnd))
    return Invalid("the rank param k should be in range (0, {}), got {}", kRrfKEnd, k);
  ranker.kind = Ranker::Kind::kRrf;
  ranker.rrf_k = k;
  return {};
}

Status SetWeights(const nlohmann::json& weights, size_t paths, Ranker& ranker) {
  if (!weights.is_array()) return Invalid("weights should be an array, got {}", weights.dump());
  ranker.kind = Ranker::Kind::kWeighted;
  for (const nlohmann::json& weight : weights) {
    if (!weight.is_number()) return Invalid("weights should be numbers, got {}", weight.dump());
    const double value = weight.get<double>();
    if (!(value >= 0 && value <= 1))
      return Invalid("rank param weight should be in range [0, 1], got {}", value);
    ranker.weights.push_back(value);
  }
  if (ranker.weights.size() != paths) {
    return Invalid(
        "the length of weights param mismatch with ann search requests: {} weights, {} "
        "searches",
        ranker.weights.size(), paths);
  }
  return {};
}

// A required or optional number of a decay function.
Result<double> DecayNumber(const model::RerankFunction& function, std::string_view key,
                           std::optional<double> fallback) {
  const std::string* text = FindAnyCase(function.params, key);
  if (text != nullptr) return ParseNumber(key, *text);
  if (fallback) return *fallback;
  return Error(ErrorCode::kMissingParameter, "decay function lost param: {}", key);
}

Status SetDecay(const model::RerankFunction& function, const model::CollectionSchema& schema,
                Ranker& ranker) {
  ranker.kind = Ranker::Kind::kDecay;
  Decay& decay = ranker.decay;
  model::DecayCurve& curve = decay.curve;
  if (function.inputs.size() != 1)
    return Invalid("a decay function takes one input field, got {}", function.inputs.size());
  decay.field = schema.FindField(function.inputs[0]);
  if (decay.field == nullptr)
    return Invalid("the input field {} of a rerank function does not exist", function.inputs[0]);
  if (!model::IsInteger(decay.field->type) && !model::IsFloating(decay.field->type)) {
    return Invalid("a decay function takes a numeric field, {} is of type {}", decay.field->name,
                   model::NameOf(decay.field->type));
  }
  const std::string* shape = FindAnyCase(function.params, "function");
  if (shape == nullptr)
    return Error(ErrorCode::kMissingParameter, "decay function lost param: function");
  const std::string name = Lower(*shape);
  if (name == "gauss") {
    curve.shape = model::DecayCurve::Shape::kGauss;
  } else if (name == "exp") {
    curve.shape = model::DecayCurve::Shape::kExp;
  } else if (name == "linear") {
    curve.shape = model::DecayCurve::Shape::kLinear;
  } else {
    return Invalid("invalid decay function: {}, only gauss, exp and linear are known", *shape);
  }
  TRY_ASSIGN(curve.origin, DecayNumber(function, "origin", std::nullopt));
  TRY_ASSIGN(curve.scale, DecayNumber(function, "scale", std::nullopt));
  TRY_ASSIGN(curve.offset, DecayNumber(function, "offset", 0));
  TRY_ASSIGN(curve.decay, DecayNumber(function, "decay", 0.5));
  if (!(curve.scale > 0))
    return Invalid("decay function param scale must be > 0, got {}", curve.scale);
  if (!(curve.offset >= 0))
    return Invalid("decay function param offset must be >= 0, got {}", curve.offset);
  constexpr double kDecayMin = 0.001;
  constexpr double kDecayMax = 0.999;
  if (!(curve.decay >= kDecayMin && curve.decay <= kDecayMax)) {
    return Invalid("decay function param decay must be in range [{}, {}], got {}", kDecayMin,
                   kDecayMax, curve.decay);
  }
  TRY_ASSIGN(ranker.score_mode,
             ParseScoreMode("score_mode", FindAnyCase(function.params, "score_mode")));
  if (const std::string* text = FindAnyCase(function.params, "norm_score")) {
    const auto norm = ParseBool("norm_score", *text);
    ranker.norm_score = norm.ok() && *norm;  // What cannot be read counts as absent here.
  }
  return {};
}

// Multiply (the default) or sum; true: sum.
Result<bool> ParseMode(std::string_view key, const std::string* text) {
  if (text == nullptr || text->empty() || Lower(*text) == "multiply") return false;
  if (Lower(*text) == "sum") return true;
  return Invalid("{} should be multiply or sum, got {}", key, *text);
}

Result<model::Boost> ResolveBoost(const model::RerankFunction& function,
                                  const model::CollectionSchema& schema) {
  model::Boost boost;
  if (!function.inputs.empty()) return Invalid("a boost function takes no input field");
  if (const std::string* filter = FindAnyCase(function.params, "filter")) boost.filter = *filter;
  const auto plan = expr::Bind(boost.filter, schema, {});
  if (!plan.ok()) return Status(plan.status()).WithContext("the filter of a boost function");
  const std::string* weight = FindAnyCase(function.params, "weight");
  if (weight == nullptr) return Invalid("boost function lost param: weight");
  TRY_ASSIGN(boost.weight, ParseNumber("weight", *weight));
  const std::string* random = FindAnyCase(function.params, "random_score");
  if (random == nullptr) return boost;
  constexpr int kDepthMax = 4;
  constexpr double kSeedEnd = 9e18;  // Of what is no integer; its fraction does not count.
  TRY_ASSIGN(const nlohmann::json json, ParseJson("random_score", *random, kDepthMax));
  if (!json.is_object()) return Invalid("random_score should be a JSON object, got {}", *random);
  boost.is_random = true;
  for (const auto& [key, value] : json.items()) {
    if (key == "seed") {
      if (!value.is_number()) return Invalid("random seed must be number, got {}", value.dump());
      const bool is_whole = value.is_number_integer();
      const double wanted = value.get<double>();
      if (!is_whole && !(std::abs(wanted) < kSeedEnd))
        return Invalid("random seed must be number of 64 bits, got {}", value.dump());
      boost.seed = is_whole ? value.get<int64_t>() : static_cast<int64_t>(wanted);
    } else if (key == "field") {
      if (!value.is_string())
        return Invalid("random seed field name must be string, got {}", value.dump());
      const model::FieldSchema* field = schema.FindField(value.get<std::string>());
      if (field == nullptr) return Invalid("random seed field not found: {}", value.dump());
      if (field->type != model::DataType::kInt64) {
        return Invalid("only support int64 field as random seed, but got {} of type {}",
                       field->name, NameOf(field->type));
      }
      boost.random_field = field->id;
    } else {
      return Invalid("random_score takes a seed and a field, got {}", *random);
    }
  }
  return boost;
}

}  // namespace

Result<ScoreMode> ParseScoreMode(std::string_view key, const std::string* text) {
  const std::string name = text == nullptr ? "" : Lower(*text);
  if (name.empty() || name == "max") return ScoreMode::kMax;
  if (name == "sum") return ScoreMode::kSum;
  if (name == "avg") return ScoreMode::kAvg;
  return Invalid("{} should be max, sum or avg, got {}", key, *text);
}

Result<Ranker> ResolveRanker(const model::FunctionScore& score,
                             const model::CollectionSchema& schema, size_t paths) {
  Ranker ranker;
  for (const model::RerankFunction& function : score.functions) {
    const std::string* reranker = FindAnyCase(function.params, "reranker");
    if (reranker == nullptr) {
      return Error(ErrorCode::kMissingParameter, "reranker name not specified, function: {}",
                   function.name);
    }
    const std::string name = Lower(*reranker);
    if (name == "boost") {
      TRY_ASSIGN(model::Boost boost, ResolveBoost(function, schema));
      ranker.boosting.boosts.push_back(std::move(boost));
      continue;
    }
    if (ranker.kind != Ranker::Kind::kNone)
      return Invalid("currently only supports one rerank function");
    if (name == "rrf") {
      const std::string* k = FindAnyCase(function.params, "k");
      double value = ranker.rrf_k;
      if (k != nullptr) {
        TRY_ASSIGN(value, ParseNumber("k", *k));
      }
      TRY(SetRrf(value, ranker));
    } else if (name == "weighted") {
      const std::string* weights = FindAnyCase(function.params, "weights");
      if (weights == nullptr) return Invalid("weighted rerank function lost param: weights");
      constexpr int kDepthMax = 4;
      TRY_ASSIGN(const nlohmann::json json, ParseJson("weights", *weights, kDepthMax));
      TRY(SetWeights(json, paths, ranker));
      if (const std::string* norm = FindAnyCase(function.params, "norm_score")) {
        TRY_ASSIGN(ranker.norm_score, ParseBool("norm_score", *norm));
      }
    } else if (name == "decay") {
      TRY(SetDecay(function, schema, ranker));
    } else if (name == "model") {
      ranker.kind = Ranker::Kind::kModel;
      TRY_ASSIGN(ranker.model, ResolveModelRank(function, schema));
    } else {
      return Invalid("unsupported reranker {}", *reranker);
    }
  }
  TRY_ASSIGN(ranker.boosting.sums_boosts,
             ParseMode("function_mode", FindAnyCase(score.params, "function_mode")));
  TRY_ASSIGN(ranker.boosting.sums_score,
             ParseMode("boost_mode", FindAnyCase(score.params, "boost_mode")));
  return ranker;
}

Result<Ranker> ResolveStrategy(const std::vector<KeyValue>& rank_params, size_t paths) {
  Ranker ranker;
  nlohmann::json params = nlohmann::json::object();
  if (const std::string* text = model::Find(rank_params, "params");
      text != nullptr && !text->empty()) {
    constexpr int kDepthMax = 4;
    TRY_ASSIGN(params, ParseJson("rank params", *text, kDepthMax));
    if (!params.is_object()) return Invalid("rank params should be a JSON object, got {}", *text);
  }
  const std::string* strategy = model::Find(rank_params, "strategy");
  if (strategy == nullptr || strategy->empty() || *strategy == "rrf") {
    double k = ranker.rrf_k;
    if (params.contains("k")) {
      if (!params["k"].is_number())
        return Invalid("k should be a number, got {}", params["k"].dump());
      k = params["k"].get<double>();
    }
    TRY(SetRrf(k, ranker));
    return ranker;
  }
  if (*strategy != "weighted") return Invalid("unsupported rank type {}", *strategy);
  if (!params.contains("weights")) return Invalid("weights not found in rank_params");
  TRY(SetWeights(params["weights"], paths, ranker));
  if (params.contains("norm_score")) {
    if (!params["norm_score"].is_boolean())
      return Invalid("norm_score should be a bool, got {}", params["norm_score"].dump());
    ranker.norm_score = params["norm_score"].get<bool>();
  }
  return ranker;
}

}  // namespace elanus::proxy
