// What a request for an index asks to be built.
#pragma once

#include "model/requests/collection.h"
#include "proxy/options.h"

namespace elanus::proxy {

/// The index that the request asks for on a field of `schema`, without id and moment. Errors:
/// kInvalidParameter, kParameterTooLarge, kUnimplemented.
Result<model::IndexInfo> ResolveIndex(const ProxyOptions& options,
                                      const model::CollectionSchema& schema,
                                      const model::CreateIndexRequest& request);

}  // namespace elanus::proxy
