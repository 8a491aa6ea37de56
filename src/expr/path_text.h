// A path into JSON as text, which names it towards indexes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "expr/path_step.h"

namespace elanus::expr {

/// As model::Predicate::path.
std::string PathText(const std::vector<PathStep>& steps);
/// The steps of such a path.
std::vector<PathStep> StepsOf(std::string_view path);

}  // namespace elanus::expr
