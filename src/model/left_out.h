// Names of fields that were left out of what is loaded, in the schema that a read is checked
// against: without them a collection with a dynamic field would take such a name for a key.
#pragma once

#include <string_view>

#include "model/schema.h"

namespace elanus::model {

/// Notes the name of a field that is taken out of `schema`.
void NoteLeftOut(CollectionSchema& schema, std::string_view field);
/// Whether the name, which no field has, is that of one that was taken out.
bool IsLeftOut(const CollectionSchema& schema, std::string_view name);

}  // namespace elanus::model
