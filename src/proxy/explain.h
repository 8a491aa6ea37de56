// Reads that are run for their report alone: what the management port answers.
#pragma once

#include <string>
#include <string_view>

#include "base/context.h"
#include "base/status.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// Runs the read that a JSON object describes and answers with how it was run, and with how many
/// rows or hits it had, not with those: for people who look after the server and do not have to see
/// data. `method` is "search", "hybrid_search", "query" or "delete" (whose rows are looked for, and
/// stay); the other members are named as clients name them, see docs/explain.md. A JSON object, or
/// lines of text. Errors: kInvalidParameter (the description), those of the read.
Result<std::string> Explain(Context& ctx, Services& services, std::string_view description,
                            bool as_text);

}  // namespace elanus::proxy
