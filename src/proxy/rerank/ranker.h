// How hits of several searches, or of one, become one list: the function, its parameters, and what
// a request may say of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/decay_curve.h"
#include "model/requests/data.h"
#include "model/requests/shard.h"
#include "model/schema.h"
#include "proxy/rerank/model_rank.h"

namespace elanus::proxy {

enum class ScoreMode { kMax, kSum, kAvg };

/// What falls off with the distance of a field's value from an origin.
struct Decay {
  const model::FieldSchema* field = nullptr;  // Numeric; of the schema it was resolved with.
  model::DecayCurve curve;
};

struct Ranker {
  enum class Kind {
    kNone,  // The scores of the one search stay.
    kRrf,
    kWeighted,
    kDecay,
    kModel,
  };
  Kind kind = Kind::kNone;
  double rrf_k = 60;
  std::vector<double> weights;  // One a path.
  bool norm_score = false;
  ScoreMode score_mode = ScoreMode::kMax;  // kDecay: of a hit in several paths.
  Decay decay;
  ModelRank model;
  model::Boosting boosting;  // Of a single search, beside any kind.
};

/// The functions of a request. Errors: kInvalidParameter, kMissingParameter.
Result<Ranker> ResolveRanker(const model::FunctionScore& score,
                             const model::CollectionSchema& schema, size_t paths);

/// The older form: `strategy` and `params` of a hybrid search; none of them is RRF.
Result<Ranker> ResolveStrategy(const std::vector<model::KeyValue>& rank_params, size_t paths);

/// max, sum or avg; absent or empty: max. kInvalidParameter naming `key`.
Result<ScoreMode> ParseScoreMode(std::string_view key, const std::string* text);

}  // namespace elanus::proxy
