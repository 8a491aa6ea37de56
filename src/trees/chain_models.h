// The models that the xgboost steps of chains name: file resources, read once and kept.
#pragma once

#include "base/status.h"
#include "model/score_chain.h"
#include "trees/options.h"

namespace elanus::trees {

/// Makes the options those of the process. Thread-safe.
void SetTreesOptions(const TreesOptions& options);

/// What a run of the chain takes as ChainInput::predict: reads the models of its xgboost steps, but
/// for those that are kept ready. Nothing when it has no such steps. A resource that was removed
/// and added anew is read anew; who has a model keeps it. Thread-safe. Errors: kInvalidParameter
/// (there is no such resource, it is no model or one that is not supported, see ReadXgboost; it
/// takes another number of features), those of storage.
Result<decltype(model::ChainInput::predict)> PredictorOf(const model::ScoreChain& chain);

}  // namespace elanus::trees
