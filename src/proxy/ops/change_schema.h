// The one way by which operations change the schema of a collection that lives, and the rules that
// all such changes have in common.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/services.h"

namespace elanus::proxy {

/// Makes the second what it is to be; the first is the collection as it is.
using SchemaChange = std::function<Status(const model::CollectionInfo&, model::CollectionSchema&)>;
/// The same, and the third the indexes that come and go with it.
using SchemaAndIndexChange = std::function<Status(const model::CollectionInfo&,
                                                  model::CollectionSchema&, model::IndexChange&)>;

/// Applies `change` to a copy of the newest schema, again when another change was faster, and
/// returns once every shard works by the new one: whatever is asked from then on sees it. A change
/// that changes nothing succeeds. Errors: those of `change`, kCollectionNotFound.
Status ChangeSchema(Context& ctx, Services& services, const model::CollectionName& name,
                    const SchemaChange& change);
/// The same with indexes: a crash leaves both or neither. Their files are begun.
Status ChangeSchemaAndIndexes(Context& ctx, Services& services, const model::CollectionName& name,
                              const SchemaAndIndexChange& change);

/// Names of fields that users cannot have.
bool IsSystemName(std::string_view name);
/// kInvalidParameter when it is one of these, or a field or struct has it.
Status CheckNewName(const model::CollectionSchema& schema, const std::string& name);
/// kInvalidParameter when `more` fields are too many. Fields with the parts of structs, and structs
/// count; $meta does not, as in a new collection.
Status CheckFieldCount(const ProxyOptions& options, const model::CollectionSchema& schema,
                       size_t more);
/// The rules of a new schema, for the one that this collection is to have. Reads default moments.
Status CheckChangedSchema(const ProxyOptions& options, const model::CollectionInfo& collection,
                          model::CollectionSchema& schema);
/// Where a new field goes: before the parts of structs, and $meta.
std::vector<model::FieldSchema>::iterator PlaceOfFields(model::CollectionSchema& schema);

}  // namespace elanus::proxy
