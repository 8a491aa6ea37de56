// Query.
#include <fmt/format.h>

#include <algorithm>

#include "expr/expr.h"
#include "model/aggregate.h"
#include "model/reduce.h"
#include "proxy/checks.h"
#include "proxy/collection_limits.h"
#include "proxy/consistency.h"
#include "proxy/metrics.h"
#include "proxy/moments.h"
#include "proxy/ops.h"
#include "proxy/ops/element_cursor.h"
#include "proxy/ops/fetch.h"
#include "proxy/ops/query_aggregates.h"
#include "proxy/ops/search_plan.h"
#include "proxy/output_fields.h"
#include "proxy/partition_key.h"
#include "proxy/query_mode.h"
#include "proxy/read_report.h"
#include "proxy/rerank/order_by.h"
#include "proxy/slow_log.h"

namespace elanus::proxy {
namespace {

struct QueryParams {
  int64_t limit = -1;
  int64_t offset = 0;
  bool ignore_growing = false;
  bool iterator = false;
  std::optional<ElementCursor> cursor;
  std::string order_by;
};

Result<QueryParams> ParseParams(const ProxyOptions& options,
                                const std::vector<model::KeyValue>& list, CollectionId collection) {
  QueryParams params;
  if (const std::string* text = model::Find(list, "reduce_stop_for_best")) {
    // The reduction here is exact either way; the value is only checked.
    const auto parsed = ParseBool("reduce_stop_for_best", *text);
    if (!parsed.ok()) return parsed.status();
  }
  if (const std::string* text = model::Find(list, "iterator")) {
    TRY_ASSIGN(params.iterator, ParseBool("iterator", *text));
  }
  TRY_ASSIGN(params.cursor, ParseElementCursor(list, params.iterator));
  if (const std::string* text = model::Find(list, "ignore_growing")) {
    TRY_ASSIGN(params.ignore_growing, ParseBool("ignore_growing", *text));
  }
  if (const std::string* text = model::Find(list, "collection_id");
      text != nullptr && !text->empty()) {
    TRY_ASSIGN(const int64_t id, ParseInt("collection_id", *text));
    if (id != collection.value())
      return Invalid("collection_id {} is not the collection's, it was recreated", id);
  }
  if (const std::string* text = model::Find(list, "order_by_fields")) params.order_by = *text;
  const std::string* limit = model::Find(list, "limit");
  if (!params.order_by.empty() && (limit == nullptr || limit->empty() || params.iterator))
    return Invalid("order_by_fields needs a limit, and is not for iterators");
  if (limit == nullptr || limit->empty()) return params;
  TRY_ASSIGN(params.limit, ParseInt("limit", *limit));
  if (const std::string* text = model::Find(list, "offset"); text != nullptr && !text->empty()) {
    TRY_ASSIGN(params.offset, ParseInt("offset", *text));
  }
  int64_t window = 0;
  if (__builtin_add_overflow(params.limit, params.offset, &window)) window = INT64_MAX;
  if (params.limit < 1 || params.offset < 0 || window > options.query_window_max) {
    return Invalid(
        "invalid max query result window, (offset+limit) should be in range [1, {}], but got {}",
        options.query_window_max, window);
  }
  return params;
}

// The rows [begin, begin + count) of a column, as many as there are.
void Cut(size_t begin, size_t count, model::Column& column) {
  if (begin == 0 && count >= column.rows) return;
  model::Column rest = model::EmptyLike(column);
  begin = std::min<size_t>(begin, column.rows);
  count = std::min<size_t>(count, column.rows - begin);
  rest.AppendAll(column.view().Slice(begin, count));
  column = std::move(rest);
}

// What is read, and how the answer comes of it.
struct QueryPlan {
  QueryParams params;
  AggregatePlan aggregates;
  OutputFields output;
  std::vector<OrderTerm> order;
  MomentForm moments;
  model::ShardQuery query;  // But for the shard.

  size_t rows_wanted() const {
    return params.limit < 0 ? SIZE_MAX : static_cast<size_t>(params.limit);
  }
};

Status PlanGroups(const ProxyOptions& options, const model::CollectionSchema& schema,
                  QueryPlan& plan) {
  const AggregatePlan& aggregates = plan.aggregates;
  if (aggregates.is_count() && plan.params.limit >= 0)
    return Invalid("count entities with pagination is not allowed");
  if (aggregates.is_count()) {
    plan.query.count_only = true;
    return {};
  }
  plan.query.group_by = aggregates.group_by;
  plan.query.aggregates = aggregates.aggregates;
  plan.query.groups_max = options.query_groups_max;
  if (plan.params.order_by.empty()) return {};
  TRY_ASSIGN(plan.order, ParseOrderBy(plan.params.order_by, schema, /*takes_json=*/false));
  for (const OrderTerm& term : plan.order) {
    if (std::find(aggregates.group_by.begin(), aggregates.group_by.end(), term.order.field) ==
        aggregates.group_by.end()) {
      return Invalid("a query with group by is ordered by the fields of its groups only");
    }
  }
  return {};
}

Status PlanRows(const model::CollectionSchema& schema, const model::QueryRequest& request,
                QueryPlan& plan) {
  std::vector<std::string> wanted = request.output_fields;
  if (std::find(wanted.begin(), wanted.end(), "*") == wanted.end()) {
    wanted.push_back(schema.primary_key().name);
  }
  TRY_ASSIGN(plan.output, ResolveOutput(schema, wanted));
  plan.query.read.output_fields = plan.output.ids;
  plan.query.limit = plan.params.limit < 0 ? -1 : plan.params.limit + plan.params.offset;
  // The row of the cursor may have nothing left.
  if (plan.params.cursor && plan.query.limit >= 0) ++plan.query.limit;
  if (plan.params.order_by.empty()) return {};
  TRY_ASSIGN(plan.order, ParseOrderBy(plan.params.order_by, schema, /*takes_json=*/false));
  for (const OrderTerm& term : plan.order) {
    plan.query.order_by.push_back(term.order);
    std::vector<FieldId>& fields = plan.query.read.output_fields;
    if (std::find(fields.begin(), fields.end(), term.order.field) == fields.end())
      fields.push_back(term.order.field);
  }
  return {};
}

Result<QueryPlan> PlanQuery(const ProxyOptions& options, const model::CollectionInfo& collection,
                            const model::QueryRequest& request) {
  const model::CollectionSchema& schema = collection.schema;
  QueryPlan plan;
  TRY_ASSIGN(plan.params,
             ParseParams(LimitsOf(options, collection.properties), request.params, collection.id));
  TRY_ASSIGN(plan.moments, MomentFormOf(request.params, collection));
  plan.query.read.timezone = plan.moments.zone.name();
  const auto bound =
      expr::Bind(request.filter, schema, request.templates, plan.query.read.timezone);
  if (!bound.ok()) return Status(bound.status()).WithContext("failed to create query plan");
  TRY_ASSIGN(plan.aggregates, PlanAggregates(options, schema, request.output_fields,
                                             model::Find(request.params, "group_by_fields")));
  plan.query.read.partitions = ReachedPartitions(collection, *bound, {});
  plan.query.read.schema_version = schema.version;
  if (bound->always_true() && plan.params.limit < 0 && !plan.aggregates.is_on())
    return Invalid("empty expression should be used with limit");
  if (plan.aggregates.is_on()) {
    TRY(PlanGroups(options, schema, plan));
  } else {
    TRY(PlanRows(schema, request, plan));
  }
  return plan;
}

// The rows of all shards.
Result<model::PartialRows> RunQuery(Context& ctx, Services& services, const ReadScope& scope,
                                    const model::ShardQuery& query) {
  const std::vector<std::string>& vchannels = scope.collection->vchannels;
  const MeasuredPart waiting(ctx.clock(), Part::kWaitForShards, "query");
  std::vector<model::PartialRows> parts(vchannels.size());
  TRY(services.fan_out.ParallelFor(ctx, vchannels.size(), [&](size_t shard) -> Status {
    model::ShardQuery one = query;
    one.read.vchannel = vchannels[shard];
    TRY_ASSIGN(parts[shard], services.streaming.Query(ctx, std::move(one)));
    return {};
  }));
  if (parts.size() == 1) return std::move(parts[0]);
  return model::ReduceRows(parts, query);
}

// Groups in their order (of the terms, else of the group fields), cut and named.
Result<std::vector<model::Column>> FinishGroups(Context& ctx, const QueryPlan& plan,
                                                std::vector<model::Column> partial) {
  const size_t keys = plan.aggregates.group_by.size();
  std::vector<model::Column> group_columns;
  for (size_t i = 0; i < keys; ++i) group_columns.push_back(model::EmptyLike(partial[i]));
  model::Aggregator sums(std::move(group_columns), plan.query.aggregates, plan.query.groups_max);
  TRY(sums.Merge(partial));
  const std::vector<model::Column> groups = sums.Finish();
  std::vector<OrderTerm> order = plan.order;
  for (FieldId field : plan.aggregates.group_by) order.push_back({.order = {.field = field}});
  std::vector<const model::Column*> columns;
  for (const OrderTerm& term : order) {
    const auto at = std::find(plan.aggregates.group_by.begin(), plan.aggregates.group_by.end(),
                              term.order.field);
    columns.push_back(&groups[static_cast<size_t>(at - plan.aggregates.group_by.begin())]);
  }
  std::vector<std::vector<uint32_t>> units;
  for (uint32_t i = 0; i < groups[0].rows; ++i) units.push_back({i});
  TRY(SortUnits(ctx, order, columns, units));
  std::vector<model::Column> out;
  for (size_t o = 0; o < plan.aggregates.outputs.size(); ++o) {
    const model::Column& from = groups[plan.aggregates.outputs[o]];
    model::Column to = model::EmptyLike(from);
    to.name = plan.aggregates.names[o];
    for (const std::vector<uint32_t>& unit : units) to.AppendRow(from.view(), unit[0]);
    Cut(static_cast<size_t>(plan.params.offset), plan.rows_wanted(), to);
    out.push_back(std::move(to));
  }
  return out;
}

constexpr const char* kCountName = "count(*)";  // However the request writes it.

model::Column CountColumn(int64_t count) {
  model::Column column =
      model::MakeColumn(FieldId(0), kCountName, model::DataType::kInt64, model::DataType::kNone, 0);
  column.AppendFixed(&count);
  return column;
}

Result<model::QueryResult> QueryRows(Context& ctx, Services& services,
                                     const model::QueryRequest& request) {
  TRY(CheckName(services.options, "collection name", request.name.collection));
  SlowLog slow(ctx, services.options, "Query", request.name);
  slow.Says(1, request.filter,
            fmt::format("output_fields=\"{}\"", fmt::join(request.output_fields, ",")));
  TRY_ASSIGN(ReadScope scope, OpenRead(ctx, services, request.name, {}));
  const model::CollectionInfo& collection = *scope.collection;
  TRY(CheckNoPartitionNames(collection, request.partitions));
  TRY_ASSIGN(QueryPlan plan, PlanQuery(services.options, collection, request));
  TRY_ASSIGN(scope.partitions, ReadPartitions(services.options, collection, request.partitions));
  TRY(CheckLoaded(scope));
  TRY(TakeRate(services, collection, RateKind::kQuery, 1));
  TRY_ASSIGN(const Timestamp guarantee,
             GuaranteeOf(ctx, services, collection, request.consistency));
  slow.Waits(LevelOf(collection, request.consistency), guarantee);
  model::ShardRead& read = plan.query.read;
  read.collection = collection.id;
  if (read.partitions.empty()) read.partitions = scope.partitions;
  read.filter = request.filter;
  read.templates = request.templates;
  read.guarantee = guarantee;
  read.ignore_growing = plan.params.ignore_growing;
  read.data_ratio_min = scope.data_ratio_min;
  if (plan.params.iterator) {
    TRY_ASSIGN(read.read_at,
               IteratorMoment(ctx, services, collection, request.consistency.guarantee));
    read.guarantee = read.read_at;
  }
  TRY_ASSIGN(model::PartialRows rows, RunQuery(ctx, services, scope, plan.query));
  model::QueryResult result;
  result.primary_field = collection.schema.primary_key().name;
  if (plan.params.iterator && request.consistency.guarantee == Timestamp())
    result.session = rows.read_at;
  if (plan.aggregates.is_on()) {
    if (plan.query.count_only) {
      result.output_fields = {kCountName};
      result.columns.push_back(CountColumn(rows.count));
    } else {
      result.output_fields = plan.aggregates.names;
      TRY_ASSIGN(result.columns, FinishGroups(ctx, plan, std::move(rows.columns)));
      ShowMoments(plan.moments, result.columns);
    }
    return result;
  }
  size_t bytes = 0;
  const bool by_element =
      !rows.columns.empty() && rows.columns.back().field_id == model::kElementField;
  if (plan.params.cursor) {
    if (!by_element) return Invalid("query_iter_last_pk is for a filter with element_filter");
    DropGiven(*plan.params.cursor, rows);
  }
  const auto offset = static_cast<size_t>(plan.params.offset);
  if (by_element) {
    result.element_indices = std::move(rows.columns.back());
    Cut(offset, plan.rows_wanted(), result.element_indices);
  }
  rows.columns.resize(plan.output.ids.size());
  for (model::Column& column : rows.columns) {
    if (column.is_dynamic) CutDynamic(plan.output, column);
    Cut(offset, plan.rows_wanted(), column);
    bytes += column.data.size();
  }
  if (bytes > static_cast<size_t>(services.options.output_bytes_max)) {
    return Invalid("the answer has {} bytes, at most {} are allowed", bytes,
                   services.options.output_bytes_max);
  }
  result.columns = std::move(rows.columns);
  ShowMoments(plan.moments, result.columns);
  result.output_fields = plan.output.names;
  return result;
}

}  // namespace

Result<model::QueryResult> Query(Context& ctx, Services& services,
                                 const model::QueryRequest& request) {
  std::vector<std::string> output_fields = request.output_fields;
  ReadReport report(ctx, services.options, "Query", request.name, output_fields);
  const auto run = [&]() -> Result<model::QueryResult> {
    if (output_fields.size() == request.output_fields.size())
      return QueryRows(report.ctx(), services, request);
    model::QueryRequest rest = request;
    rest.output_fields = std::move(output_fields);
    return QueryRows(report.ctx(), services, rest);
  };
  Result<model::QueryResult> result = run();
  report.Finish(result);
  return result;
}

}  // namespace elanus::proxy
