// Changing a schema.
#include "proxy/ops/change_schema.h"

#include "proxy/checks.h"

namespace elanus::proxy {

Status ChangeSchema(Context& ctx, Services& services, const model::CollectionName& name,
                    const SchemaChange& change) {
  constexpr int kAttempts = 100;  // Each time some other change has been made.
  Status status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
    model::CollectionSchema schema = collection->schema;
    TRY(change(*collection, schema));
    if (schema == collection->schema) return {};
    status = services.coord.catalog.ChangeSchema(ctx, collection->id, std::move(schema));
    if (status.code() == ErrorCode::kSchemaMismatch) continue;
    TRY(status);
    return services.streaming.SyncSchema(ctx, collection->id);
  }
  return status;
}

}  // namespace elanus::proxy
