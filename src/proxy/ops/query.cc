// Query.
#include <algorithm>

#include "expr/expr.h"
#include "model/reduce.h"
#include "proxy/checks.h"
#include "proxy/ops.h"
#include "proxy/output_fields.h"

namespace elanus::proxy {
namespace {

struct QueryParams {
  int64_t limit = -1;
  int64_t offset = 0;
  bool ignore_growing = false;
  bool iterator = false;
};

Result<QueryParams> ParseParams(const ProxyOptions& options,
                                const std::vector<model::KeyValue>& list, CollectionId collection) {
  QueryParams params;
  for (const char* later : {"group_by_fields", "order_by_fields", "query_iter_last_pk"}) {
    const std::string* value = model::Find(list, later);
    if (value != nullptr && !value->empty()) {
      return Error(ErrorCode::kUnimplemented, "query parameter {} is not supported yet", later);
    }
  }
  if (const std::string* text = model::Find(list, "reduce_stop_for_best")) {
    // The reduction here is exact either way; the value is only checked.
    const auto parsed = ParseBool("reduce_stop_for_best", *text);
    if (!parsed.ok()) return parsed.status();
  }
  if (const std::string* text = model::Find(list, "iterator")) {
    TRY_ASSIGN(params.iterator, ParseBool("iterator", *text));
  }
  if (const std::string* text = model::Find(list, "ignore_growing")) {
    TRY_ASSIGN(params.ignore_growing, ParseBool("ignore_growing", *text));
  }
  if (const std::string* text = model::Find(list, "collection_id");
      text != nullptr && !text->empty()) {
    TRY_ASSIGN(const int64_t id, ParseInt("collection_id", *text));
    if (id != collection.value())
      return Invalid("collection_id {} is not the collection's, it was recreated", id);
  }
  const std::string* limit = model::Find(list, "limit");
  if (limit == nullptr || limit->empty()) return params;
  TRY_ASSIGN(params.limit, ParseInt("limit", *limit));
  if (const std::string* text = model::Find(list, "offset"); text != nullptr && !text->empty()) {
    TRY_ASSIGN(params.offset, ParseInt("offset", *text));
  }
  if (params.limit < 1 || params.offset < 0 ||
      params.limit + params.offset > options.query_window_max) {
    return Invalid(
        "invalid max query result window, (offset+limit) should be in range [1, {}], but got {}",
        options.query_window_max, params.limit + params.offset);
  }
  return params;
}

bool IsCount(std::string_view text) {
  std::string lower;
  for (char c : text) {
    if (c != ' ') lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return lower == "count(*)";
}

Status CheckAggregates(const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    if (!IsCount(field) && field.find('(') != std::string::npos && field.ends_with(")")) {
      return Error(ErrorCode::kUnimplemented, "aggregate {} is not supported yet", field);
    }
  }
  return {};
}

void DropFirst(model::Column& column, size_t rows) {
  model::Column rest =
      model::MakeColumn(column.field_id, column.name, column.type, column.element_type, column.dim);
  rest.is_dynamic = column.is_dynamic;
  if (rows < column.rows) rest.AppendAll(column.view().Slice(rows, column.rows - rows));
  column = std::move(rest);
}

}  // namespace

Result<model::QueryResult> Query(Context& ctx, Services& services,
                                 const model::QueryRequest& request) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  const model::CollectionSchema& schema = collection->schema;
  TRY_ASSIGN(const QueryParams params,
             ParseParams(services.options, request.params, collection->id));
  const auto plan = expr::Bind(request.filter, schema, request.templates);
  if (!plan.ok()) return Status(plan.status()).WithContext("failed to create query plan");
  TRY(CheckAggregates(request.output_fields));
  const bool count_only = request.output_fields.size() == 1 && IsCount(request.output_fields[0]);
  const bool counts =
      std::any_of(request.output_fields.begin(), request.output_fields.end(), IsCount);
  if (counts && !count_only) return Invalid("count(*) cannot be mixed with other output fields");
  if (count_only && params.limit >= 0)
    return Invalid("count entities with pagination is not allowed");
  if (plan->always_true() && params.limit < 0 && !count_only) {
    return Invalid("empty expression should be used with limit");
  }
  OutputFields output;
  if (!count_only) {
    std::vector<std::string> wanted = request.output_fields;
    if (std::find(wanted.begin(), wanted.end(), "*") == wanted.end()) {
      wanted.push_back(schema.primary_key().name);
    }
    TRY_ASSIGN(output, ResolveOutput(schema, wanted));
  }
  TRY_ASSIGN(const auto partitions,
             ResolvePartitions(*collection, request.partitions, ErrorCode::kInvalidParameter));
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
  TRY_ASSIGN(const Timestamp guarantee,
             GuaranteeOf(ctx, services, *collection, request.consistency));
  const int64_t window = params.limit < 0 ? -1 : params.limit + params.offset;
  std::vector<model::PartialRows> parts;
  for (const std::string& vchannel : collection->vchannels) {
    model::ShardQuery query{.limit = window, .count_only = count_only};
    query.read = {.vchannel = vchannel,
                  .collection = collection->id,
                  .partitions = partitions.empty() ? collection->loaded_partitions : partitions,
                  .filter = request.filter,
                  .templates = request.templates,
                  .guarantee = guarantee,
                  .ignore_growing = params.ignore_growing,
                  .output_fields = output.ids};
    if (params.iterator && request.consistency.guarantee.value() > 2) {
      query.read.read_at = request.consistency.guarantee;
    }
    TRY_ASSIGN(model::PartialRows part, services.streaming.Query(ctx, std::move(query)));
    parts.push_back(std::move(part));
  }
  model::PartialRows rows =
      parts.size() == 1 ? std::move(parts[0]) : model::ReduceRows(parts, window, count_only);
  model::QueryResult result;
  result.primary_field = schema.primary_key().name;
  if (params.iterator && request.consistency.guarantee == Timestamp())
    result.session = rows.read_at;
  if (count_only) {
    model::Column count = model::MakeColumn(FieldId(0), "count(*)", model::DataType::kInt64,
                                            model::DataType::kNone, 0);
    count.AppendFixed(&rows.count);
    result.columns.push_back(std::move(count));
    result.output_fields = {"count(*)"};
    return result;
  }
  size_t bytes = 0;
  for (model::Column& column : rows.columns) {
    if (column.is_dynamic) CutDynamic(output, column);
    if (params.offset > 0) DropFirst(column, static_cast<size_t>(params.offset));
    bytes += column.data.size();
  }
  if (bytes > static_cast<size_t>(services.options.output_bytes_max)) {
    return Invalid("the answer has {} bytes, at most {} are allowed", bytes,
                   services.options.output_bytes_max);
  }
  result.columns = std::move(rows.columns);
  result.output_fields = output.names;
  return result;
}

}  // namespace elanus::proxy
