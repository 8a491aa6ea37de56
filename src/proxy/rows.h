// Checking the rows of a write against the schema, and completing them.
#pragma once

#include "proxy/services.h"

namespace elanus::proxy {

/// Turns the request's columns into those of the schema: types narrowed, defaults and nulls filled,
/// the dynamic column in place, field ids set. Primary keys of an auto-id collection are generated
/// for an insert. Nothing is changed in the request on an error. Integer columns of narrow fields
/// arrive as Int32, arrays of them with Int32 elements.
Result<std::vector<model::Column>> CompleteRows(Context& ctx, Services& services,
                                                const model::CollectionInfo& collection,
                                                model::WriteRequest request);

}  // namespace elanus::proxy
