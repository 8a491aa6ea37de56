// What a call of a function can end with besides the codes that everything uses.
#pragma once

#include "base/status.h"

namespace elanus::functions {

/// A model service refused the request, or its answer makes no sense.
inline constexpr ErrorCode kFunctionFailed{2400};

}  // namespace elanus::functions
