// Loading and releasing.
#include <fmt/format.h>

#include <algorithm>

#include "proxy/checks.h"
#include "proxy/functions.h"
#include "proxy/ops.h"
#include "proxy/partition_key.h"

namespace elanus::proxy {
namespace {

using model::FieldSchema;

bool IsToBeSkipped(const FieldSchema& field) {
  const std::string* wish = model::Find(field.type_params, kSkipLoadKey);
  if (wish == nullptr) return false;
  const auto skips = ParseBool(kSkipLoadKey, *wish);  // Checked with the schema.
  return skips.ok() && *skips;
}

// A list that leaves out what no read can do without is a mistake.
Status CheckNamed(const model::CollectionSchema& schema, const std::vector<std::string>& names) {
  const auto is_named = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& name : names) {
    if (schema.FindField(name) != nullptr || schema.FindStruct(name) != nullptr) continue;
    return Error(ErrorCode::kFieldNotFound, "{}[field={}]", InfoOf(ErrorCode::kFieldNotFound).name,
                 name);
  }
  bool has_vector = false;
  for (const FieldSchema& field : schema.fields) {
    const bool is_there = is_named(field.name) || is_named(field.struct_name);
    has_vector = has_vector || (is_there && field.vector_type() != model::DataType::kNone);
    const char* what = field.is_primary_key      ? "primary key"
                       : field.is_partition_key  ? "partition key"
                       : field.is_clustering_key ? "clustering key"
                                                 : nullptr;
    if (what == nullptr || is_there) continue;
    return Invalid("load field list {} does not contain the {} field {}", fmt::join(names, ", "),
                   what, field.name);
  }
  if (has_vector) return {};
  return Invalid("load field list {} does not contain a vector field", fmt::join(names, ", "));
}

Result<std::vector<FieldId>> FieldsLeftOut(const model::CollectionSchema& schema,
                                           const model::LoadFields& wanted) {
  const std::vector<std::string>& names = wanted.names;
  if (!names.empty()) TRY(CheckNamed(schema, names));
  std::vector<FieldId> left_out;
  for (const FieldSchema& field : schema.fields) {
    bool is_left_out = field.is_dynamic ? wanted.skip_dynamic_field : IsToBeSkipped(field);
    if (!names.empty() && !field.is_dynamic) {
      const std::string& name = field.is_sub_field() ? field.struct_name : field.name;
      is_left_out = std::find(names.begin(), names.end(), name) == names.end() &&
                    std::find(names.begin(), names.end(), field.name) == names.end();
    }
    if (is_left_out) left_out.push_back(field.id);
  }
  // How a text that is searched for is read, the text's own field says.
  const auto is_left_out = [&](const FieldSchema& field) {
    return std::find(left_out.begin(), left_out.end(), field.id) != left_out.end();
  };
  for (const model::FunctionSchema& function : schema.functions) {
    const FieldSchema* output = schema.FindField(function.outputs[0]);
    if (output == nullptr || is_left_out(*output)) continue;
    std::erase_if(left_out, [&](FieldId id) {
      const auto& inputs = function.inputs;
      return std::find(inputs.begin(), inputs.end(), schema.FindField(id)->name) != inputs.end();
    });
  }
  return left_out;
}

}  // namespace

Status Load(Context& ctx, Services& services, const model::CollectionName& name,
            const std::vector<std::string>& partitions, const model::LoadFields& fields) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  TRY(CheckNoPartitionNames(*collection, partitions));
  TRY_ASSIGN(auto left_out, FieldsLeftOut(collection->schema, fields));
  TRY_ASSIGN(auto ids, ResolvePartitions(*collection, partitions, ErrorCode::kPartitionNotFound));
  const auto& indexes = collection->indexes;
  if (std::all_of(indexes.begin(), indexes.end(), IsHidden)) {
    return Error(ErrorCode::kIndexNotFound, "{}[collection={}]",
                 InfoOf(ErrorCode::kIndexNotFound).name, name.collection);
  }
  for (const model::FieldSchema& field : collection->schema.fields) {
    if (std::find(left_out.begin(), left_out.end(), field.id) != left_out.end()) continue;
    if (model::IsVector(field.type) && collection->IndexOf(field.id) == nullptr) {
      return Invalid("there is no vector index on field: [{}], please create index firstly",
                     field.name);
    }
  }
  TRY(services.coord.catalog.SetFieldsLeftOut(ctx, collection->id, std::move(left_out)));
  TRY(services.coord.catalog.SetLoaded(ctx, collection->id, std::move(ids)));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

Status Release(Context& ctx, Services& services, const model::CollectionName& name,
               const std::vector<std::string>& partitions) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  TRY(CheckNoPartitionNames(*collection, partitions));
  TRY_ASSIGN(auto ids, ResolvePartitions(*collection, partitions, ErrorCode::kPartitionNotFound));
  TRY(services.coord.catalog.SetReleased(ctx, collection->id, std::move(ids)));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

Result<int64_t> LoadProgress(Context& ctx, Services& services, const model::CollectionName& name,
                             const std::vector<std::string>& partitions) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  TRY_ASSIGN(const auto ids,
             ResolvePartitions(*collection, partitions, ErrorCode::kPartitionNotFound));
  if (!collection->loaded) {
    return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotLoaded).name, name.collection);
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!collection->IsLoaded(ids[i])) {
      return Error(ErrorCode::kPartitionNotLoaded, "{}[partition={}]",
                   InfoOf(ErrorCode::kPartitionNotLoaded).name, partitions[i]);
    }
  }
  TRY_ASSIGN(const int64_t progress, services.streaming.LoadProgress(ctx, collection->id));
  // It is tried again, but who waits should know what it waits for.
  if (progress < 100) TRY(services.streaming.LoadFailure(ctx, collection->id));
  return progress;
}

Result<model::LoadState> GetLoadState(Context& ctx, Services& services,
                                      const model::CollectionName& name,
                                      const std::vector<std::string>& partitions) {
  const auto progress = LoadProgress(ctx, services, name, partitions);
  if (progress.ok())
    return *progress >= 100 ? model::LoadState::kLoaded : model::LoadState::kLoading;
  switch (progress.status().code()) {
    case ErrorCode::kCollectionNotFound:
      return model::LoadState::kNotExist;
    case ErrorCode::kCollectionNotLoaded:
    case ErrorCode::kPartitionNotLoaded:
      return model::LoadState::kNotLoad;
    default:
      return progress.status();
  }
}

}  // namespace elanus::proxy
