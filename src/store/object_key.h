// The rule for object keys, the same for every backend.
#pragma once

#include <string_view>

#include "base/status.h"

namespace elanus::store {

/// kInvalidParameter for empty keys, a leading or trailing '/', empty parts, parts that begin with
/// a
/// '.' (backends keep files of their own under such names), backslashes and control characters.
Status CheckObjectKey(std::string_view key);

}  // namespace elanus::store
