// Puts the keys of one JSON object over those of another.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::proxy {

/// The object `stored` with the top-level keys of `update` in it: those that it has are replaced,
/// the others come after its own. Every value stays as it was written: numbers that no double holds
/// lose nothing. Of a key that is there twice the last one counts. What is stored and no object
/// counts as an empty one. Errors: kInvalidParameter (`update` is no object).
Result<std::string> MergeObjects(std::string_view stored, std::string_view update);

}  // namespace elanus::proxy
