// Changing a schema.
#include "proxy/ops/change_schema.h"

#include <algorithm>

#include "proxy/checks.h"
#include "proxy/moments.h"

namespace elanus::proxy {

Status ChangeSchema(Context& ctx, Services& services, const model::CollectionName& name,
                    const SchemaChange& change) {
  return ChangeSchemaAndIndexes(
      ctx, services, name,
      [&](const model::CollectionInfo& collection, model::CollectionSchema& schema,
          model::IndexChange&) { return change(collection, schema); });
}

Status ChangeSchemaAndIndexes(Context& ctx, Services& services, const model::CollectionName& name,
                              const SchemaAndIndexChange& change) {
  constexpr int kAttempts = 100;  // Each time some other change has been made.
  Status status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
    model::CollectionSchema schema = collection->schema;
    model::IndexChange indexes;
    TRY(change(*collection, schema, indexes));
    const bool has_indexes = !indexes.added.empty();
    if (schema == collection->schema && !has_indexes && indexes.dropped.empty()) return {};
    status = services.coord.catalog.ChangeSchema(ctx, collection->id, std::move(schema),
                                                 std::move(indexes));
    if (status.code() == ErrorCode::kSchemaMismatch) continue;
    TRY(status);
    TRY(services.streaming.SyncSchema(ctx, collection->id));
    if (has_indexes) services.index_jobs.Kick(collection->id);
    return {};
  }
  return status;
}

bool IsSystemName(std::string_view name) {
  for (std::string_view system :
       {"RowID", "Timestamp", "$meta", "$namespace_id", "__virtual_pk__"}) {
    if (name == system) return true;
  }
  return false;
}

Status CheckNewName(const model::CollectionSchema& schema, const std::string& name) {
  if (IsSystemName(name)) return Invalid("not support to add system field, field name = {}", name);
  if (schema.FindField(name) == nullptr && schema.FindStruct(name) == nullptr) return {};
  return Invalid("duplicated field name: {}", name);
}

Status CheckFieldCount(const ProxyOptions& options, const model::CollectionSchema& schema,
                       size_t more) {
  const size_t hidden = schema.dynamic_field() == nullptr ? 0 : 1;
  const size_t fields = schema.fields.size() - hidden + schema.structs.size() + more;
  if (fields <= static_cast<size_t>(options.fields_max)) return {};
  return Invalid("maximum field's number should be limited to {}, got {}", options.fields_max,
                 fields);
}

Status CheckChangedSchema(const ProxyOptions& options, const model::CollectionInfo& collection,
                          model::CollectionSchema& schema) {
  model::CollectionSchema plain = schema;
  std::erase_if(plain.fields, [](const model::FieldSchema& field) { return field.is_dynamic; });
  TRY(CheckSchema(options, plain));
  TRY_ASSIGN(const TimeZone zone, ZoneOf(collection.properties));
  return ReadDefaultMoments(zone, schema);
}

std::vector<model::FieldSchema>::iterator PlaceOfFields(model::CollectionSchema& schema) {
  return std::find_if(
      schema.fields.begin(), schema.fields.end(),
      [](const model::FieldSchema& field) { return field.is_sub_field() || field.is_dynamic; });
}

}  // namespace elanus::proxy
