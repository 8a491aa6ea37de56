// What moment a read asks for, and whether time has come that far.
#pragma once

#include <cstdint>

#include "model/requests/data.h"
#include "model/requests/search.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// The level a read asks for: the request's, in its older form too, or the collection's.
model::ConsistencyLevel LevelOf(const model::CollectionInfo& collection,
                                const model::ReadConsistency& consistency);
/// The moment whose writes a read must see. Code 11: the client names one that time has not
/// reached; a caller that can wait asks MsToWait first. Also those of Context::CheckAlive.
Result<Timestamp> GuaranteeOf(Context& ctx, Services& services,
                              const model::CollectionInfo& collection,
                              const model::ReadConsistency& consistency);

/// How long the clock has to go on until the read can be answered, in milliseconds: the guarantee
/// that it names, or the moment its iterator's pages are read at, may lie ahead. Nothing is done of
/// the read; it is to be asked again then. 0: it is to be run now, also when it will fail.
int64_t MsToWait(Context& ctx, Services& services, const model::SearchRequest& request);
int64_t MsToWait(Context& ctx, Services& services, const model::HybridSearchRequest& request);
int64_t MsToWait(Context& ctx, Services& services, const model::QueryRequest& request);

}  // namespace elanus::proxy
