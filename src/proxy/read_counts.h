// How the reads of this process ended, by RPC, for whoever looks after the server.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::proxy {

/// Counts a read that ended like this; `rpc` is "Search", "HybridSearch" or "Query". Thread-safe.
void CountRead(std::string_view rpc, const Status& status);

/// The counts since the process began, as Prometheus reads them: milvus_proxy_req_count by
/// function_name and status: total, success, fail_input, fail_system; of the latter `cancel` (the
/// caller went) and `abandon` (its deadline passed) are apart. Thread-safe.
std::string ReadCountsText();

}  // namespace elanus::proxy
