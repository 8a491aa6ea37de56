// Indexes and loading.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "index/vector_index.h"
#include "proxy/checks.h"
#include "proxy/json_text.h"
#include "proxy/ops.h"
#include "proxy/scalar_index.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using Texts = std::map<std::string, std::string>;

constexpr int kParamDepthMax = 32;

// Parameters with the JSON object under `params` spread out.
Result<Texts> Expand(const ProxyOptions& options, const std::vector<model::KeyValue>& extra) {
  Texts texts;
  size_t bytes = 0;
  std::set<std::string_view> keys;
  for (const model::KeyValue& kv : extra) {
    bytes += kv.key.size() + kv.value.size();
    if (!keys.insert(kv.key).second) return Invalid("duplicated index param (key={})", kv.key);
    if (kv.key != "params") {
      texts.emplace(kv.key, kv.value);
      continue;
    }
    if (kv.value.empty()) continue;
    TRY_ASSIGN(const nlohmann::json json, ParseJson("index params", kv.value, kParamDepthMax));
    if (!json.is_object()) return Invalid("failed to parse index params: {}", kv.value);
    for (const auto& [name, value] : json.items()) {
      texts[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  if (bytes > static_cast<size_t>(options.index_param_bytes_max)) {
    return Error(ErrorCode::kParameterTooLarge,
                 "index params have {} bytes, at most {} are allowed", bytes,
                 options.index_param_bytes_max);
  }
  return texts;
}

std::string Take(Texts& texts, const char* key) {
  const auto found = texts.find(key);
  if (found == texts.end()) return {};
  std::string value = std::move(found->second);
  texts.erase(found);
  return value;
}

// What to take in place of a type that the reference once had.
std::string_view Successor(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kRemoved[] = {
      {"ANNOY", ": it was removed; HNSW answers faster from less memory"},
      {"NSG", ": it was removed; HNSW is the graph index"},
      {"RNSG", ": it was removed; HNSW is the graph index"},
      {"IVF_HNSW", ": it was removed; HNSW is the graph index"},
      {"RHNSW_FLAT", ": it was removed; HNSW is the same"},
      {"RHNSW_SQ", ": it was removed; HNSW_SQ is the same"},
      {"RHNSW_PQ", ": it was removed; HNSW_PQ is the same"}};
  for (const auto& [removed, text] : kRemoved) {
    if (name == removed) return text;
  }
  return "";
}

Status UnknownMetric(const model::FieldSchema& field, const std::string& metric) {
  return Invalid("{} vector index does not support metric type: {}", NameOf(field.type), metric);
}

Status ResolveVector(const model::FieldSchema& field, Texts texts, model::IndexInfo& info) {
  const std::string name = Take(texts, "index_type");
  info.metric = Take(texts, "metric_type");
  const auto element = index::ElementOf(field.type);
  if (!element) {
    return Error(ErrorCode::kUnimplemented, "an index on a {} field is not supported yet",
                 NameOf(field.type));
  }
  const index::VectorKind kind = KindOf(*element);
  const index::IndexType* type = nullptr;
  const bool automatic = name.empty() || name == "AUTOINDEX";
  if (automatic) {
    if (!texts.empty()) {
      return Invalid("only metric type can be passed when use AutoIndex, got {}",
                     texts.begin()->first);
    }
    if (info.metric.empty()) info.metric = NameOf(index::DefaultMetric(kind));
    const auto metric = model::MetricOf(info.metric);
    if (!metric) return UnknownMetric(field, info.metric);
    index::AutoChoice choice = index::ResolveAutoIndex(*element, *metric);
    type = choice.type;
    texts = std::move(choice.params);
  } else {
    type = index::FindType(kind, name);
    if (type == nullptr ? index::IsTypeName(name) : !type->Takes(*element)) {
      return Invalid("data type {} can't build with this index {}", NameOf(field.type), name);
    }
    if (type == nullptr) {
      return Invalid("invalid parameter[expected=valid index][actual=invalid index type: {}]{}",
                     name, Successor(name));
    }
    if (info.metric.empty()) return Invalid("metric type not set for vector index");
  }
  const auto metric = model::MetricOf(info.metric);
  if (!metric || !type->Takes(*metric)) return UnknownMetric(field, info.metric);
  if (const auto dim = texts.find("dim");
      dim != texts.end() && dim->second != std::to_string(field.dim())) {
    return Invalid("dim in index params ({}) must equal the field's ({})", dim->second,
                   field.dim());
  }
  const auto parsed = index::ParseParams(type->params, index::Phase::kBuild, texts);
  if (!parsed.ok()) return parsed.status();
  if (type->Check != nullptr) TRY(type->Check(static_cast<uint32_t>(field.dim()), *parsed));
  info.type = type->name;
  if (type->twin != nullptr) {
    LogInfo("index type {} of field {} is built as {}: no GPU is used", type->name, field.name,
            type->twin->name);
  }
  for (const index::ParamSpec& spec : type->params) {
    const auto found = texts.find(std::string(spec.name));
    if (spec.phase == index::Phase::kBuild && found != texts.end()) {
      info.build_params.push_back({found->first, found->second});
    }
  }
  if (automatic) {
    info.user_params = {{"index_type", "AUTOINDEX"}, {"metric_type", info.metric}};
  }
  return {};
}

// What stands behind a name that says it only in part: AUTOINDEX, and the GPU types.
std::string BuiltAs(const model::IndexInfo& info, const model::FieldSchema& field) {
  const std::string* named = model::Find(info.user_params, "index_type");
  nlohmann::ordered_json text;
  if (named != nullptr && *named == "AUTOINDEX") {
    text["index_type"] = info.type;
    for (const model::KeyValue& param : info.build_params) text[param.key] = param.value;
    return text.dump();
  }
  const auto element = index::ElementOf(field.type);
  const index::IndexType* type = element ? index::FindType(KindOf(*element), info.type) : nullptr;
  if (type == nullptr || type->twin == nullptr) return "";
  text["index_type"] = type->twin->name;
  text["reason"] = "no GPU is used";
  return text.dump();
}

}  // namespace

Status CreateIndex(Context& ctx, Services& services, const model::CreateIndexRequest& request) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  if (!request.index_name.empty())
    TRY(CheckName(services.options, "index name", request.index_name));
  const model::FieldSchema* field = collection->schema.FindField(request.field);
  if (field == nullptr) field = collection->schema.dynamic_field();
  if (field == nullptr) return Invalid("cannot create index on non-exist field: {}", request.field);
  TRY_ASSIGN(Texts texts, Expand(services.options, request.extra_params));
  model::IndexInfo info{.name = request.index_name, .field = field->id};
  for (const auto& [key, value] : texts) info.user_params.push_back({key, value});
  for (const char* option : {"mmap.enabled", "warmup", "indexoffsetcache.enabled"}) {
    if (texts.erase(option) > 0) {
      return Error(ErrorCode::kUnimplemented, "index option {} is not supported yet", option);
    }
  }
  if (model::IsVector(field->type))
    TRY(ResolveVector(*field, std::move(texts), info));
  else
    TRY(ResolveScalarIndex(collection->schema, *field, request.field, std::move(texts), info));
  TRY(services.coord.catalog.CreateIndex(ctx, collection->id, std::move(info)));
  services.index_jobs.Kick(collection->id);
  return {};
}

Result<std::vector<model::IndexDescription>> DescribeIndex(Context& ctx, Services& services,
                                                           const model::CollectionName& name,
                                                           const std::string& field,
                                                           const std::string& index_name) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  std::vector<model::IndexDescription> found;
  for (const model::IndexInfo& info : collection->indexes) {
    const model::FieldSchema* of = collection->schema.FindField(info.field);
    if (of == nullptr || (!field.empty() && ShownField(info, *of) != field) ||
        (!index_name.empty() && info.name != index_name)) {
      continue;
    }
    TRY_ASSIGN(const auto progress, services.index_jobs.Progress(ctx, collection->id, info.id));
    found.push_back({.info = info,
                     .field_name = ShownField(info, *of),
                     .built_as = BuiltAs(info, *of),
                     .total_rows = progress.total_rows,
                     .indexed_rows = progress.indexed_rows,
                     .pending_rows = progress.pending_rows,
                     .state = progress.state,
                     .fail_reason = progress.fail_reason});
  }
  if (found.empty()) {
    const bool named = !index_name.empty();
    return Error(ErrorCode::kIndexNotFound, "{}[{}={}]", InfoOf(ErrorCode::kIndexNotFound).name,
                 named ? "indexName" : "collection", named ? index_name : name.collection);
  }
  return found;
}

Status DropIndex(Context& ctx, Services& services, const model::CollectionName& name,
                 const std::string& field, const std::string& index_name) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  std::string wanted = index_name;
  if (wanted.empty()) {
    for (const model::IndexInfo& info : collection->indexes) {
      const model::FieldSchema* of = collection->schema.FindField(info.field);
      if (!field.empty() && (of == nullptr || ShownField(info, *of) != field)) continue;
      if (!wanted.empty()) {
        return Error(ErrorCode::kIndexDuplicate, "{}[indexName=]: name the index to drop",
                     InfoOf(ErrorCode::kIndexDuplicate).name);
      }
      wanted = info.name;
    }
  }
  if (wanted.empty()) return {};
  TRY(services.coord.catalog.DropIndex(ctx, collection->id, wanted));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

Status Load(Context& ctx, Services& services, const model::CollectionName& name,
            const std::vector<std::string>& partitions) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
  TRY_ASSIGN(auto ids, ResolvePartitions(*collection, partitions, ErrorCode::kPartitionNotFound));
  if (collection->indexes.empty()) {
    return Error(ErrorCode::kIndexNotFound, "{}[collection={}]",
                 InfoOf(ErrorCode::kIndexNotFound).name, name.collection);
  }
  for (const model::FieldSchema& field : collection->schema.fields) {
    if (model::IsVector(field.type) && collection->IndexOf(field.id) == nullptr) {
      return Invalid("there is no vector index on field: [{}], please create index firstly",
                     field.name);
    }
  }
  TRY(services.coord.catalog.SetLoaded(ctx, collection->id, std::move(ids)));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

Status Release(Context& ctx, Services& services, const model::CollectionName& name,
               const std::vector<std::string>& partitions) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, name));
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
  return services.streaming.LoadProgress(ctx, collection->id);
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
