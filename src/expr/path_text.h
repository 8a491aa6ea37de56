// A path into JSON as text, which names it towards indexes.
#pragma once

#include <string>
#include <vector>

#include "expr/path_step.h"

namespace elanus::expr {

/// As model::Predicate::path.
std::string PathText(const std::vector<PathStep>& steps);

}  // namespace elanus::expr
