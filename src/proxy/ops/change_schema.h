// The one way by which operations change the schema of a collection that lives.
#pragma once

#include <functional>

#include "proxy/services.h"

namespace elanus::proxy {

/// Makes the second what it is to be; the first is the collection as it is.
using SchemaChange = std::function<Status(const model::CollectionInfo&, model::CollectionSchema&)>;

/// Applies `change` to a copy of the newest schema, again when another change was faster, and
/// returns once every shard works by the new one: whatever is asked from then on sees it. A change
/// that changes nothing succeeds. Errors: those of `change`, kCollectionNotFound.
Status ChangeSchema(Context& ctx, Services& services, const model::CollectionName& name,
                    const SchemaChange& change);

}  // namespace elanus::proxy
