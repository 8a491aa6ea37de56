// The parameters of a search, against what an index type declares.
#pragma once

#include "index/params.h"

namespace elanus::index {

/// ParseParams for a search. Errors: kSegcore, the code by which the wire answers faults in them.
Result<Params> ParseSearchParams(std::span<const ParamSpec> specs,
                                 const std::map<std::string, std::string>& texts);

}  // namespace elanus::index
