// Partial updates: what the request leaves out keeps the value that the row has.
#pragma once

#include "model/requests/data.h"
#include "proxy/rows.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// What the request asks of its fields' values. Errors: kMissingParameter (an operation without a
/// field), kInvalidParameter (twice on a field, on a key or struct, on what is no array or is not
/// in the request, elements of another type).
Status CheckFieldOps(const model::CollectionSchema& schema, const model::WriteRequest& request);

struct UpdatedRows {
  GivenRows rows;        // Those that were there first; each in the order of the request.
  int64_t existing = 0;  // How many were.
};

/// Completes the rows of a partial update with what is stored, as of now, in `partition` (0: in
/// all). Writes between this read and the write that follows are lost to that write. Errors: those
/// of AcceptRows and CheckFieldOps; kCollectionNotLoaded, kPartitionNotLoaded; kInvalidParameter
/// for a row that is not there and lacks a field, an array or document that becomes too long.
Result<UpdatedRows> UpdateRows(Context& ctx, Services& services,
                               const roles::CollectionSnapshot& collection, PartitionId partition,
                               model::WriteRequest request);

}  // namespace elanus::proxy
