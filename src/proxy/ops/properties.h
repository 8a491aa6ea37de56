// Rules of the properties that a collection may have.
#pragma once

#include "model/schema.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// The value of a property, whether the collection is being made or altered; one that is not known
/// may say anything. Errors: kInvalidParameter, kUnimplemented (several replicas),
/// kResourceGroupNotFound.
Status CheckProperty(Services& services, const model::CollectionSchema& schema,
                     const model::KeyValue& property);

}  // namespace elanus::proxy
