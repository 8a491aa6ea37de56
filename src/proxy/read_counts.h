// How the reads of this process ended, by RPC and collection, for whoever looks after the server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/requests/collection.h"

namespace elanus::proxy {

/// Counts a read that ended like this; `rpc` is "Search", "HybridSearch" or "Query". A name of no
/// collection counts as the empty one. Of more collections than `collections_max` those whose last
/// read is longest ago are forgotten. Thread-safe.
void CountRead(std::string_view rpc, const model::CollectionName& name, const Status& status,
               int64_t collections_max);

/// Counts a read that took too long; `rpc` as above. Thread-safe.
void CountSlowRead(std::string_view rpc);

/// The counts since the process began, as Prometheus reads them. milvus_proxy_req_count by
/// function_name, db_name, collection_name and status: total, success, fail_input, fail_system; of
/// the latter `cancel` (the caller went) and `abandon` (its deadline passed) are apart.
/// milvus_proxy_slow_query_count by msg_type. Thread-safe.
std::string ReadCountsText();

}  // namespace elanus::proxy
