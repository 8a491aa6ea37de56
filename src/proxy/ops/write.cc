// Insert, upsert, delete and flush.
#include <algorithm>
#include <set>

#include "expr/expr.h"
#include "proxy/checks.h"
#include "proxy/collection_limits.h"
#include "proxy/metrics.h"
#include "proxy/moments.h"
#include "proxy/ops.h"
#include "proxy/ops/partial_update.h"
#include "proxy/partition_key.h"
#include "proxy/rows.h"
#include "proxy/split_rows.h"

namespace elanus::proxy {
namespace {

using model::Column;

Result<Timestamp> AppendAll(Context& ctx, Services& services, std::string_view kind,
                            std::vector<model::ShardWrite> writes) {
  const MeasuredPart appending(ctx.clock(), Part::kAppend, kind);
  Timestamp newest;
  for (model::ShardWrite& write : writes) {
    if (!write.columns.empty() && write.columns[0].rows == 0) write.columns.clear();
    if (write.columns.empty() && write.delete_keys.rows == 0) continue;
    TRY_ASSIGN(const Timestamp timestamp, services.streaming.Append(ctx, std::move(write)));
    newest = std::max(newest, timestamp);
  }
  return newest;
}

Status CheckUnique(const Column& keys) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < keys.rows; ++i) {
    if (!seen.insert(keys.view().Bytes(i)).second) {
      return Invalid("duplicate primary keys are not allowed in the same batch");
    }
  }
  return {};
}

Status CheckAdmitted(const Services& services, roles::WriteKind kind) {
  return services.admission == nullptr ? Status() : services.admission->CheckWrite(kind);
}

size_t BytesOf(const std::vector<Column>& columns) {
  size_t bytes = 0;
  for (const Column& column : columns) bytes += column.data.size();
  return bytes;
}

// What may be known of a write before its collection is.
Status CheckBefore(const Services& services, const model::WriteRequest& request) {
  TRY(CheckAdmitted(services, roles::WriteKind::kInsert));
  TRY(CheckName(services.options, "collection name", request.name.collection));
  return services.limits == nullptr ? Status()
                                    : services.limits->CheckSize(BytesOf(request.columns));
}

// Before anything is computed for the write.
Status CheckLimits(Context& ctx, Services& services, const model::CollectionInfo& collection,
                   const model::WriteRequest& request, PartitionId partition) {
  if (services.limits == nullptr) return {};
  TRY(services.limits->CheckRoom(ctx, collection, partition));
  return services.limits->Take(collection, RateKind::kInsert,
                               static_cast<double>(BytesOf(request.columns)));
}

Result<PartitionId> PartitionOf(const Services& services, const model::CollectionInfo& collection,
                                const std::string& name) {
  if (collection.schema.partition_key() != nullptr) {
    // Rows find theirs by the key.
    TRY(CheckNoPartitionNames(
        collection, name.empty() ? std::vector<std::string>() : std::vector<std::string>{name}));
    return PartitionId();
  }
  if (name.empty()) return collection.FindPartition(model::kDefaultPartition)->id;
  TRY_ASSIGN(const std::string named, PartitionNamed(services.options, name));
  TRY_ASSIGN(const auto ids, ResolvePartitions(collection, {named}, ErrorCode::kPartitionNotFound));
  return ids[0];
}

Result<model::MutationResult> WriteRows(Context& ctx, Services& services,
                                        model::WriteRequest request) {
  TRY(CheckBefore(services, request));
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  if (request.schema_timestamp != Timestamp() && request.schema_timestamp != collection->updated) {
    return Error(ErrorCode::kSchemaMismatch, "{}[collection={}]",
                 InfoOf(ErrorCode::kSchemaMismatch).name, request.name.collection);
  }
  TRY_ASSIGN(const PartitionId partition, PartitionOf(services, *collection, request.partition));
  TRY(CheckLimits(ctx, services, *collection, request, partition));
  const model::FieldSchema& key_field = collection->schema.primary_key();
  Column delete_keys;
  const bool upsert = request.upsert;
  if (upsert) {
    const auto given =
        std::find_if(request.columns.begin(), request.columns.end(),
                     [&](const Column& column) { return column.name == key_field.name; });
    if (given == request.columns.end()) {
      return Invalid("must assign pk when upsert, primary field: {}", key_field.name);
    }
    if (given->type != key_field.type || given->rows != request.num_rows || !given->valid.empty()) {
      return Invalid("the primary keys of an upsert must be {} {} values", request.num_rows,
                     NameOf(key_field.type));
    }
    delete_keys = *given;
    TRY(CheckUnique(delete_keys));
  }
  GivenRows given;
  int64_t existing = static_cast<int64_t>(delete_keys.rows);
  if (request.partial_update) {
    TRY_ASSIGN(UpdatedRows updated,
               UpdateRows(ctx, services, collection, partition, std::move(request)));
    given = std::move(updated.rows);
    existing = updated.existing;
  } else {
    TRY_ASSIGN(given, AcceptRows(services, *collection, std::move(request)));
  }
  TRY_ASSIGN(std::vector<Column> columns,
             FinishRows(ctx, services, *collection, std::move(given), upsert));
  model::MutationResult result;
  for (const Column& column : columns) {
    if (column.field_id == key_field.id) result.primary_keys = column;
  }
  const auto rows = static_cast<int64_t>(result.primary_keys.rows);
  result.insert_count = rows;
  if (upsert) {
    result.upsert_count = rows;
    result.delete_count = existing;
  }
  TRY_ASSIGN(result.timestamp, AppendAll(ctx, services, upsert ? "upsert" : "insert",
                                         SplitRows(*collection, partition, std::move(columns),
                                                   result.primary_keys, std::move(delete_keys))));
  return result;
}

Result<model::MutationResult> DeleteRows(Context& ctx, Services& services,
                                         const model::DeleteRequest& request) {
  TRY(CheckAdmitted(services, roles::WriteKind::kDelete));
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  TRY_ASSIGN(const TimeZone zone, ZoneOf(collection->properties));
  const auto plan = expr::Bind(request.filter, collection->schema, request.templates, zone.name());
  if (!plan.ok())
    return plan.status().code() == ErrorCode::kUnimplemented
               ? plan.status()
               : Status(plan.status()).WithContext("failed to create delete plan");
  if (plan->always_true()) {
    return Invalid("delete plan can't be empty or always true : {}", request.filter);
  }
  TRY(TakeRate(services, *collection, RateKind::kDelete,
               static_cast<double>(request.filter.size())));
  PartitionId partition;  // 0: the keys go from every partition.
  if (!request.partition.empty()) {
    TRY_ASSIGN(partition, PartitionOf(services, *collection, request.partition));
  }
  const std::vector<PartitionId> reached = ReachedPartitions(*collection, *plan, {});
  if (reached.size() == 1) partition = reached[0];
  const model::FieldSchema& key_field = collection->schema.primary_key();
  Column keys =
      model::MakeColumn(key_field.id, key_field.name, key_field.type, model::DataType::kNone, 0);
  // Keys alone need no read.
  if (plan->primary_keys()) {
    for (const model::Scalar& key : *plan->primary_keys()) {
      if (key.is_int()) {
        const int64_t value = key.as_int();
        keys.AppendFixed(&value);
      } else {
        keys.AppendBytes(key.as_string());
      }
    }
  } else {
    if (!collection->loaded) {
      return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                   InfoOf(ErrorCode::kCollectionNotLoaded).name, request.name.collection);
    }
    std::vector<PartitionId> partitions = reached;
    if (partition != PartitionId()) partitions = {partition};
    TRY_ASSIGN(const Timestamp guarantee, services.coord.oracle.Now(ctx));
    for (const std::string& vchannel : collection->vchannels) {
      model::ShardQuery query;
      query.read = {.vchannel = vchannel,
                    .collection = collection->id,
                    .partitions = partitions,
                    .filter = request.filter,
                    .templates = request.templates,
                    .guarantee = guarantee,
                    .schema_version = collection->schema.version};
      query.read.timezone = zone.name();
      TRY_ASSIGN(const model::PartialRows rows, services.streaming.Query(ctx, std::move(query)));
      keys.AppendAll(rows.primary_keys.view());
    }
  }
  model::MutationResult result;
  result.delete_count = static_cast<int64_t>(keys.rows);
  if (keys.rows == 0) {
    TRY_ASSIGN(result.timestamp, services.coord.oracle.Now(ctx));
    return result;
  }
  const Column no_rows;
  TRY_ASSIGN(result.timestamp,
             AppendAll(ctx, services, "delete",
                       SplitRows(*collection, partition, {}, no_rows, std::move(keys))));
  return result;
}

// Counts a write that began then.
void Count(const Services& services, std::string_view kind, const model::CollectionName& name,
           int64_t begin_us, const Result<model::MutationResult>& result) {
  int64_t rows = 0;
  if (result.ok()) rows = kind == "delete" ? result->delete_count : result->insert_count;
  CountWrite({.kind = kind,
              .name = name,
              .status = result.status(),
              .rows = rows,
              .us = services.clock.MonotonicUs() - begin_us},
             services.options.counted_collections_max);
}

}  // namespace

Result<model::MutationResult> Write(Context& ctx, Services& services, model::WriteRequest request) {
  const int64_t begin_us = services.clock.MonotonicUs();
  const model::CollectionName name = request.name;
  const char* kind = request.upsert ? "upsert" : "insert";
  auto result = WriteRows(ctx, services, std::move(request));
  Count(services, kind, name, begin_us, result);
  return result;
}

Result<model::MutationResult> Delete(Context& ctx, Services& services,
                                     const model::DeleteRequest& request) {
  const int64_t begin_us = services.clock.MonotonicUs();
  auto result = DeleteRows(ctx, services, request);
  Count(services, "delete", request.name, begin_us, result);
  return result;
}

Result<model::FlushResult> Flush(Context& ctx, Services& services, const std::string& database,
                                 const std::vector<std::string>& collections) {
  std::vector<roles::CollectionSnapshot> resolved;
  for (const std::string& name : collections) {
    TRY_ASSIGN(auto collection, Resolve(ctx, services, {.database = database, .collection = name}));
    resolved.push_back(std::move(collection));
  }
  if (services.limits != nullptr) TRY(services.limits->TakeFlush(resolved));
  model::FlushResult result;
  for (size_t i = 0; i < resolved.size(); ++i) {
    TRY_ASSIGN(const auto sealed, services.streaming.Seal(ctx, resolved[i]->id));
    TRY_ASSIGN(const auto segments, services.coord.segments.ListSegments(ctx, resolved[i]->id));
    model::FlushResult::Collection one{.name = collections[i], .flush_ts = sealed.timestamp};
    one.sealed = sealed.sealed;
    for (const auto& segment : segments) {
      if (std::find(one.sealed.begin(), one.sealed.end(), segment.id) == one.sealed.end()) {
        one.flushed.push_back(segment.id);
      }
    }
    result.collections.push_back(std::move(one));
  }
  return result;
}

Result<bool> IsFlushed(Context& ctx, Services& services, const model::CollectionName& name,
                       Timestamp timestamp) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  return services.streaming.IsFlushed(ctx, collection->id, timestamp);
}

}  // namespace elanus::proxy
