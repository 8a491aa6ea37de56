// Rules of the properties that a collection may have.
#pragma once

#include <string_view>

#include "model/schema.h"
#include "proxy/services.h"

namespace elanus::proxy {

/// Whether rows may have fields that the schema does not name.
inline constexpr std::string_view kDynamicFieldKey = "dynamicfield.enabled";

/// The value of a property, whether the collection is being made or altered; one that is not known
/// may say anything. Errors: kInvalidParameter, kUnimplemented (several replicas, ids of fields),
/// kResourceGroupNotFound.
Status CheckProperty(Services& services, const model::CollectionSchema& schema,
                     const model::KeyValue& property);

}  // namespace elanus::proxy
