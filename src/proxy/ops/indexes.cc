// Indexes.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "expr/json_path.h"
#include "index/embedding_list.h"
#include "index/vector_index.h"
#include "model/text_numbers.h"
#include "proxy/checks.h"
#include "proxy/functions.h"
#include "proxy/json_text.h"
#include "proxy/ops.h"
#include "proxy/ops/change_schema.h"
#include "proxy/ops/resolve_index.h"
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

model::Metric DefaultMetric(index::VectorKind kind, bool is_lists) {
  if (!is_lists) return index::DefaultMetric(kind);
  return kind == index::VectorKind::kBinary ? model::Metric::kMaxSimHamming
                                            : model::Metric::kMaxSimCosine;
}

// How an index is held once it is loaded; says nothing of what is built.
bool IsOption(std::string_view key) {
  return key == "mmap.enabled" || key == "warmup" || key == "indexoffsetcache.enabled";
}

// BM25 ranks the term counts of a BM25 function, and nothing else.
Status FitTextMetric(const model::CollectionSchema& schema, const model::FieldSchema& field,
                     Texts& texts) {
  const auto given = texts.find("metric_type");
  const std::string named = given == texts.end() ? "" : given->second;
  const bool is_bm25 = model::MetricOf(named) == model::Metric::kBm25;
  if (schema.IsBm25Output(field)) {
    if (!named.empty() && !is_bm25) {
      return Invalid("index metric type of BM25 function output field must be BM25, got {}", named);
    }
    texts["metric_type"] = "BM25";
  } else if (is_bm25 && model::IsVector(field.type)) {
    return Invalid("only BM25 Function output field support BM25 metric type");
  }
  return {};
}

Status ResolveVector(const model::FieldSchema& field, Texts texts, model::IndexInfo& info) {
  const std::string name = TakeParam(texts, "index_type");
  info.metric = TakeParam(texts, "metric_type");
  const bool is_lists = field.type == DataType::kArrayOfVector;
  const auto element = index::ElementOf(field.vector_type());
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
    if (info.metric.empty()) info.metric = NameOf(DefaultMetric(kind, is_lists));
    const auto metric = model::MetricOf(info.metric);
    if (!metric) return UnknownMetric(field, info.metric);
    index::AutoChoice choice = index::ResolveAutoIndex(*element, model::ElementMetric(*metric));
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
  if (!metric || !type->Takes(model::ElementMetric(*metric)) ||
      (model::IsMaxSim(*metric) && !is_lists)) {
    return UnknownMetric(field, info.metric);
  }
  TRY(index::CheckListParams(texts));
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
    LogInfo("index type {} of field {} is built as {}: {}", type->name, field.name,
            type->twin->name, type->twin_reason);
  }
  for (const index::ParamSpec& spec : type->params) {
    const auto found = texts.find(std::string(spec.name));
    if (spec.phase == index::Phase::kBuild && found != texts.end()) {
      info.build_params.push_back({found->first, found->second});
    }
  }
  if (automatic) {
    std::erase_if(info.user_params, [](const model::KeyValue& kv) { return !IsOption(kv.key); });
    info.user_params.push_back({"index_type", "AUTOINDEX"});
    info.user_params.push_back({"metric_type", info.metric});
  }
  return {};
}

// Whether an index of that name may be mapped; names that are none of ours are refused elsewhere.
bool MayBeMapped(const model::FieldSchema& field, const std::string& type_name) {
  const auto element = index::ElementOf(field.vector_type());
  if (!element) return type_name != "STL_SORT" && type_name != "RTREE";
  const index::IndexType* type = index::FindType(KindOf(*element), type_name);
  return type == nullptr || type->maps;
}

// What stands behind a name that says it only in part: AUTOINDEX, and types that are built as
// another. AUTOINDEX chooses segment by segment: the choice of most of them, and how many have each
// when there are several.
std::string BuiltAs(const model::IndexInfo& info, const model::FieldSchema& field,
                    std::vector<roles::ChosenIndex> chosen) {
  const std::string* named = model::Find(info.user_params, "index_type");
  nlohmann::ordered_json text;
  if (named != nullptr && *named == "AUTOINDEX") {
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const auto& a, const auto& b) { return a.segments > b.segments; });
    text["index_type"] = chosen.empty() ? info.type : chosen[0].type;
    const auto& params = chosen.empty() ? info.build_params : chosen[0].build_params;
    for (const model::KeyValue& param : params) text[param.key] = param.value;
    if (chosen.size() > 1) {
      auto& all = text["segments"] = nlohmann::ordered_json::array();
      for (const roles::ChosenIndex& choice : chosen) {
        nlohmann::ordered_json one = {{"index_type", choice.type}};
        for (const model::KeyValue& param : choice.build_params) one[param.key] = param.value;
        one["segments"] = choice.segments;
        all.push_back(std::move(one));
      }
    }
    return text.dump();
  }
  const auto element = index::ElementOf(field.vector_type());
  const index::IndexType* type = element ? index::FindType(KindOf(*element), info.type) : nullptr;
  if (type == nullptr || type->twin == nullptr) return "";
  text["index_type"] = type->twin->name;
  text["reason"] = type->twin_reason;
  return text.dump();
}

// Checks the options and takes them out of `texts`: they are kept with what the user said and read
// by whoever loads the index.
Status CheckOptions(const model::FieldSchema& field, Texts& texts) {
  const std::string type_name = [&] {
    const auto found = texts.find("index_type");
    return found == texts.end() ? std::string() : found->second;
  }();
  if (texts.count("mmap.enabled") > 0) {
    TRY_ASSIGN(const bool maps, ParseBool("mmap.enabled", TakeParam(texts, "mmap.enabled")));
    if (maps && !MayBeMapped(field, type_name)) {
      return Invalid("index type {} does not support mmap", type_name);
    }
  }
  if (texts.count("indexoffsetcache.enabled") > 0) {
    TRY_ASSIGN(const bool caches,
               ParseBool("indexoffsetcache.enabled", TakeParam(texts, "indexoffsetcache.enabled")));
    if (caches && type_name != "BITMAP") {
      return Invalid("only BITMAP index supports indexoffsetcache.enabled, got {}", type_name);
    }
  }
  if (texts.count("warmup") > 0) {
    const std::string warm_up = TakeParam(texts, "warmup");
    if (warm_up != "disable" && warm_up != "sync" && warm_up != "async") {
      return Invalid("warmup should be one of disable, sync, async, got {}", warm_up);
    }
  }
  return {};
}

}  // namespace

namespace {

// Makes or drops an index that reads texts as numbers, and with it what the schema says of the
// place: rows that the index does not know are judged as it judges its own.
Status ChangeTextNumbers(Context& ctx, Services& services, const model::CollectionName& name,
                         const model::IndexInfo& info, bool are_numbers) {
  const std::string key = model::TextNumberKey(info.json_path);
  return ChangeSchemaAndIndexes(
      ctx, services, name,
      [&](const model::CollectionInfo&, model::CollectionSchema& schema,
          model::IndexChange& indexes) -> Status {
        for (model::FieldSchema& field : schema.fields) {
          if (field.id != info.field) continue;
          std::erase_if(field.type_params, [&](const auto& param) { return param.key == key; });
          if (are_numbers) {
            field.type_params.push_back({key, ""});
            indexes.added.push_back({.field = field.name, .info = info});
          } else {
            indexes.dropped.push_back(info.name);
          }
        }
        return {};
      });
}

// Whether the index reads texts as numbers at a place where the schema says that they are texts.
bool BringsTextNumbers(const model::CollectionSchema& schema, const model::IndexInfo& info) {
  const model::FieldSchema* field = schema.FindField(info.field);
  return info.json_cast_type == expr::kStringToDouble && field != nullptr &&
         !model::HasTextNumbers(*field, info.json_path);
}

}  // namespace

Result<model::IndexInfo> ResolveIndex(const ProxyOptions& options,
                                      const model::CollectionSchema& schema,
                                      const model::CreateIndexRequest& request) {
  if (!request.index_name.empty()) TRY(CheckIndexName(options, request.index_name));
  const model::FieldSchema* field = schema.FindField(request.field);
  if (field == nullptr) field = schema.dynamic_field();
  if (field == nullptr) return Invalid("cannot create index on non-exist field: {}", request.field);
  TRY_ASSIGN(Texts texts, Expand(options, request.extra_params));
  TRY(FitTextMetric(schema, *field, texts));
  model::IndexInfo info{.name = request.index_name, .field = field->id};
  for (const auto& [key, value] : texts) info.user_params.push_back({key, value});
  TRY(CheckOptions(*field, texts));
  if (model::IsVector(field->type))
    TRY(ResolveVector(*field, std::move(texts), info));
  else
    TRY(ResolveScalarIndex(options, schema, *field, request.field, std::move(texts), info));
  return info;
}

Status CreateIndex(Context& ctx, Services& services, const model::CreateIndexRequest& request) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  TRY_ASSIGN(model::IndexInfo info, ResolveIndex(services.options, collection->schema, request));
  if (BringsTextNumbers(collection->schema, info)) {
    return ChangeTextNumbers(ctx, services, request.name, info, true);
  }
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
    if (of == nullptr || IsHidden(info) || (!field.empty() && ShownField(info, *of) != field) ||
        (!index_name.empty() && info.name != index_name)) {
      continue;
    }
    TRY_ASSIGN(const auto progress, services.index_jobs.Progress(ctx, collection->id, info.id));
    found.push_back({.info = info,
                     .field_name = ShownField(info, *of),
                     .built_as = BuiltAs(info, *of, progress.chosen),
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
      if (IsHidden(info)) continue;
      if (!field.empty() && (of == nullptr || ShownField(info, *of) != field)) continue;
      if (!wanted.empty()) {
        return Error(ErrorCode::kIndexDuplicate, "{}[indexName=]: name the index to drop",
                     InfoOf(ErrorCode::kIndexDuplicate).name);
      }
      wanted = info.name;
    }
  }
  if (wanted.empty()) return {};
  const auto& indexes = collection->indexes;
  const auto known = std::find_if(indexes.begin(), indexes.end(),
                                  [&](const auto& info) { return info.name == wanted; });
  if (known != indexes.end() && known->json_cast_type == expr::kStringToDouble) {
    TRY(ChangeTextNumbers(ctx, services, name, *known, false));
  }
  // Nothing is left to do where the schema changed with it.
  TRY(services.coord.catalog.DropIndex(ctx, collection->id, wanted));
  return services.streaming.SyncLoaded(ctx, collection->id);
}

}  // namespace elanus::proxy
