// Models as XGBoost saves them.
#pragma once

#include <string_view>

#include "base/status.h"
#include "trees/forest.h"

namespace elanus::trees {

/// Reads what `Booster.save_model` writes, as JSON or UBJSON, told by the second byte
/// (xgboost.readthedocs.io, "Introduction to Model IO": the schema). All rounds count, as in
/// `Booster.predict`.
///
/// Boosters: gbtree, dart. Splits by number, and by category, whose feature is the category's code.
/// Objectives: kObjectives of xgboost.cc. One output: no classes, no targets.
///
/// Errors: kInvalidParameter (what is not a model, is cut or damaged; another booster or objective,
/// by its name; too large, see ForestBuilder). Takes memory in proportion to `bytes`.
Result<Forest> ReadXgboost(std::string_view bytes);

}  // namespace elanus::trees
