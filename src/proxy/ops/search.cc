// Search.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "expr/expr.h"
#include "model/reduce.h"
#include "proxy/checks.h"
#include "proxy/json_text.h"
#include "proxy/ops.h"
#include "proxy/output_fields.h"
#include "proxy/vector_values.h"

namespace elanus::proxy {
namespace {

constexpr int kParamDepthMax = 32;

struct SearchParams {
  int64_t top_k = 0;
  int64_t offset = 0;
  bool ignore_growing = false;
  bool iterator = false;
  std::string metric;
  int64_t round_decimal = -1;
  std::map<std::string, std::string> index_params;
  std::optional<double> radius;
  std::optional<double> range_filter;
};

Result<double> ParseNumber(std::string_view key, const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0' && std::isfinite(number)) return number;
  }
  return Invalid("{} should be a number, got {}", key, value.dump());
}

// The JSON object under `params`.
Status ParseIndexParams(const std::string& text, SearchParams& params) {
  if (text.empty() || text == "{}") return {};
  TRY_ASSIGN(const nlohmann::json json, ParseJson("search params", text, kParamDepthMax));
  if (!json.is_object()) return Invalid("search params should be a JSON object, got {}", text);
  for (const auto& [key, value] : json.items()) {
    if (key == "radius") {
      TRY_ASSIGN(params.radius, ParseNumber(key, value));
    } else if (key == "range_filter") {
      TRY_ASSIGN(params.range_filter, ParseNumber(key, value));
    } else {
      params.index_params[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  return {};
}

Result<SearchParams> ParseParams(const ProxyOptions& options,
                                 const std::vector<model::KeyValue>& list,
                                 CollectionId collection) {
  SearchParams params;
  for (const char* later :
       {"group_by_field", "group_by_fields", "order_by_fields", "search_iter_v2"}) {
    const std::string* value = model::Find(list, later);
    if (value != nullptr && !value->empty() && *value != "False" && *value != "false") {
      return Error(ErrorCode::kUnimplemented, "search parameter {} is not supported yet", later);
    }
  }
  if (const std::string* text = model::Find(list, "ignore_growing")) {
    TRY_ASSIGN(params.ignore_growing, ParseBool("ignore_growing", *text));
  }
  if (const std::string* text = model::Find(list, "iterator")) {
    params.iterator = *text == "True" || *text == "true";
  }
  const std::string* top_k = model::Find(list, "topk");
  if (top_k == nullptr) top_k = model::Find(list, "limit");
  if (top_k == nullptr) return Error(ErrorCode::kMissingParameter, "topk is required");
  TRY_ASSIGN(params.top_k, ParseInt("topk", *top_k));
  if (params.iterator) params.top_k = std::min(params.top_k, options.top_k_max);
  if (params.top_k < 1 || params.top_k > options.top_k_max) {
    return Invalid("topk [{}] is invalid, it should be in range [1, {}]", params.top_k,
                   options.top_k_max);
  }
  if (const std::string* text = model::Find(list, "offset"); text != nullptr && !text->empty()) {
    TRY_ASSIGN(params.offset, ParseInt("offset", *text));
    if (params.offset < 0 || params.offset > options.top_k_max) {
      return Invalid("offset [{}] is invalid, it should be in range [0, {}]", params.offset,
                     options.top_k_max);
    }
  }
  if (params.top_k + params.offset > options.top_k_max) {
    return Invalid("topk+offset [{}] is invalid, it should be in range [1, {}]",
                   params.top_k + params.offset, options.top_k_max);
  }
  if (const std::string* text = model::Find(list, "metric_type")) params.metric = *text;
  if (const std::string* text = model::Find(list, "round_decimal");
      text != nullptr && !text->empty()) {
    TRY_ASSIGN(params.round_decimal, ParseInt("round_decimal", *text));
    if (params.round_decimal < -1 || params.round_decimal > 6) {
      return Invalid("round_decimal [{}] is invalid, it should be -1 or an integer in range [0, 6]",
                     params.round_decimal);
    }
  }
  if (const std::string* text = model::Find(list, "params")) TRY(ParseIndexParams(*text, params));
  if (params.range_filter && !params.radius) return Invalid("range_filter needs radius");
  if (const std::string* text = model::Find(list, "collection_id");
      text != nullptr && !text->empty()) {
    TRY_ASSIGN(const int64_t id, ParseInt("collection_id", *text));
    if (id != collection.value())
      return Invalid("collection_id {} is not the collection's, it was recreated", id);
  }
  return params;
}

Result<const model::FieldSchema*> VectorField(const model::CollectionSchema& schema,
                                              const std::string& name) {
  if (!name.empty()) {
    const model::FieldSchema* field = schema.FindField(name);
    if (field == nullptr) {
      return Error(ErrorCode::kFieldNotFound, "{}[field={}]",
                   InfoOf(ErrorCode::kFieldNotFound).name, name);
    }
    if (!model::IsVector(field->type)) return Invalid("field {} is not a vector field", name);
    return field;
  }
  const model::FieldSchema* only = nullptr;
  for (const model::FieldSchema& field : schema.fields) {
    if (!model::IsVector(field.type)) continue;
    if (only != nullptr)
      return Invalid("multiple anns_fields exist, please specify a anns_field in search_params");
    only = &field;
  }
  return only;
}

// Brings query vectors into the type of the field, or says why they are none of it.
Status FitQueries(const model::FieldSchema& field, model::Column& queries) {
  TRY(ConvertToField(field, queries));
  if (queries.type != field.type) {
    return Invalid("query vectors of type {} do not fit field {} of type {}", NameOf(queries.type),
                   field.name, NameOf(field.type));
  }
  if (queries.dim != field.dim()) {
    return Invalid("vector dimension mismatch, field {}: invalid parameter[expected={}][actual={}]",
                   field.name, field.dim(), queries.dim);
  }
  return CheckVectorValues(field, queries).WithContext("query vectors");
}

Status CheckRange(const SearchParams& params, model::Metric metric) {
  if (!params.range_filter) return {};
  const bool good = model::LargerIsBetter(metric) ? *params.range_filter > *params.radius
                                                  : *params.range_filter < *params.radius;
  if (good) return {};
  return Error(ErrorCode::kSegcore,
               "range_filter must be {} than radius for metric {}: got {}, radius {}",
               model::LargerIsBetter(metric) ? "more" : "less", NameOf(metric),
               *params.range_filter, *params.radius);
}

size_t BytesOf(const model::PartialHits& hits) {
  size_t bytes = hits.primary_keys.data.size() + hits.scores.size() * sizeof(float);
  for (const model::Column& column : hits.columns) bytes += column.data.size();
  return bytes;
}

// The answer without the first `offset` hits of each query.
model::SearchResult Cut(model::PartialHits hits, int64_t offset) {
  model::SearchResult result;
  result.nq = static_cast<uint32_t>(hits.counts.size());
  if (offset == 0) {
    result.counts = std::move(hits.counts);
    result.primary_keys = std::move(hits.primary_keys);
    result.scores = std::move(hits.scores);
    result.columns = std::move(hits.columns);
    return result;
  }
  const auto like = [](const model::Column& column) {
    model::Column copy = model::MakeColumn(column.field_id, column.name, column.type,
                                           column.element_type, column.dim);
    copy.is_dynamic = column.is_dynamic;
    return copy;
  };
  result.primary_keys = like(hits.primary_keys);
  for (const model::Column& column : hits.columns) result.columns.push_back(like(column));
  size_t at = 0;
  for (uint32_t count : hits.counts) {
    const auto skipped = static_cast<uint32_t>(std::min<int64_t>(offset, count));
    result.counts.push_back(count - skipped);
    for (size_t i = at + skipped; i < at + count; ++i) {
      result.primary_keys.AppendRow(hits.primary_keys.view(), i);
      result.scores.push_back(hits.scores[i]);
      for (size_t c = 0; c < result.columns.size(); ++c) {
        result.columns[c].AppendRow(hits.columns[c].view(), i);
      }
    }
    at += count;
  }
  return result;
}

}  // namespace

Result<model::SearchResult> Search(Context& ctx, Services& services, model::SearchRequest request) {
  TRY_ASSIGN(const auto collection, services.coord.catalog.Find(ctx, request.name));
  const model::CollectionSchema& schema = collection->schema;
  TRY_ASSIGN(auto partitions,
             ResolvePartitions(*collection, request.partitions, ErrorCode::kInvalidParameter));
  TRY_ASSIGN(const OutputFields output, ResolveOutput(schema, request.output_fields));
  const int64_t nq =
      request.nq_given == 0 ? static_cast<int64_t>(request.queries.rows) : request.nq_given;
  if (nq < 1 || nq > services.options.nq_max) {
    return Invalid("nq [{}] is invalid, it should be in range [1, {}]", nq,
                   services.options.nq_max);
  }
  if (nq != static_cast<int64_t>(request.queries.rows)) {
    return Invalid("nq [{}] is not the number of query vectors [{}]", nq, request.queries.rows);
  }
  TRY_ASSIGN(const model::FieldSchema* field, VectorField(schema, request.anns_field));
  TRY_ASSIGN(SearchParams params, ParseParams(services.options, request.params, collection->id));
  if (!request.filter.empty()) {
    const auto plan = expr::Bind(request.filter, schema, request.templates);
    if (!plan.ok()) return Status(plan.status()).WithContext("failed to create query plan");
  }
  if (!collection->loaded) {
    return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotLoaded).name, request.name.collection);
  }
  for (size_t i = 0; i < partitions.size(); ++i) {
    if (!collection->IsLoaded(partitions[i])) {
      return Error(ErrorCode::kPartitionNotLoaded, "{}[partition={}]",
                   InfoOf(ErrorCode::kPartitionNotLoaded).name, request.partitions[i]);
    }
  }
  const model::IndexInfo* index = collection->IndexOf(field->id);
  if (index == nullptr) return Invalid("there is no vector index on field: [{}]", field->name);
  if (!params.metric.empty() && params.metric != index->metric) {
    return Invalid("metric type not match: invalid parameter[expected={}][actual={}]",
                   index->metric, params.metric);
  }
  TRY(FitQueries(*field, request.queries));
  // What a score means may hang on how the index was built (the bands of MINHASH_LSH).
  for (const model::KeyValue& built : index->build_params) {
    params.index_params.try_emplace(built.key, built.value);
  }
  const auto nq_found = static_cast<uint32_t>(request.queries.rows);
  model::ShardSearch search{.vector_field = field->id,
                            .metric = *model::MetricOf(index->metric),
                            .k = static_cast<uint32_t>(params.top_k + params.offset),
                            .params = std::move(params.index_params),
                            .has_radius = params.radius.has_value(),
                            .radius = params.radius.value_or(0),
                            .has_range_filter = params.range_filter.has_value(),
                            .range_filter = params.range_filter.value_or(0),
                            .round_decimal = static_cast<int32_t>(params.round_decimal),
                            .queries = std::move(request.queries)};
  TRY(CheckRange(params, search.metric));
  TRY_ASSIGN(const Timestamp guarantee,
             GuaranteeOf(ctx, services, *collection, request.consistency));
  search.read = {.collection = collection->id,
                 .partitions = std::move(partitions),
                 .filter = std::move(request.filter),
                 .templates = std::move(request.templates),
                 .guarantee = guarantee,
                 .ignore_growing = params.ignore_growing,
                 .output_fields = output.ids};
  if (params.iterator && request.consistency.guarantee.value() > 2)
    search.read.read_at = request.consistency.guarantee;
  if (search.read.partitions.empty()) {
    // Loaded partitions only, when not all are.
    search.read.partitions = collection->loaded_partitions;
  }
  std::vector<model::PartialHits> parts;
  const std::vector<std::string>& vchannels = collection->vchannels;
  for (size_t shard = 0; shard + 1 < vchannels.size(); ++shard) {
    model::ShardSearch one = search;
    one.read.vchannel = vchannels[shard];
    TRY_ASSIGN(model::PartialHits part, services.streaming.Search(ctx, std::move(one)));
    parts.push_back(std::move(part));
  }
  // The last one takes the queries with it: of one shard nothing is copied.
  search.read.vchannel = vchannels.back();
  TRY_ASSIGN(model::PartialHits last, services.streaming.Search(ctx, std::move(search)));
  parts.push_back(std::move(last));
  model::PartialHits hits =
      parts.size() == 1 ? std::move(parts[0])
                        : model::ReduceHits(parts, *model::MetricOf(index->metric), nq_found,
                                            static_cast<uint32_t>(params.top_k + params.offset));
  if (BytesOf(hits) > static_cast<size_t>(services.options.output_bytes_max)) {
    return Invalid("the answer has {} bytes, at most {} are allowed", BytesOf(hits),
                   services.options.output_bytes_max);
  }
  const Timestamp read_at = hits.read_at;
  model::SearchResult result = Cut(std::move(hits), params.offset);
  result.top_k = params.top_k;
  result.output_fields = output.names;
  result.primary_field = schema.primary_key().name;
  if (params.iterator && request.consistency.guarantee == Timestamp()) result.session = read_at;
  for (model::Column& column : result.columns) {
    if (column.is_dynamic) CutDynamic(output, column);
  }
  return result;
}

}  // namespace elanus::proxy
