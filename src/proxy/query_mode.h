// The property `query_mode` of a collection: large_topk lets reads ask for more at once.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/requests/collection.h"
#include "proxy/options.h"

namespace elanus::proxy {

inline constexpr std::string_view kQueryModeKey = "query_mode";

/// Errors: kInvalidParameter (a mode that is not known).
Status CheckQueryMode(const std::vector<model::KeyValue>& properties);

/// The limits of reads of a collection with these properties.
ProxyOptions LimitsOf(const ProxyOptions& options, const std::vector<model::KeyValue>& properties);

}  // namespace elanus::proxy
