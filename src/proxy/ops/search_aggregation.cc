// Search whose answer are buckets: a grouped search by the keys of all levels, whose hits are then
// sorted into the buckets.
#include <algorithm>

#include "proxy/checks.h"
#include "proxy/ops.h"
#include "proxy/ops/search_plan.h"
#include "proxy/rerank/buckets.h"

namespace elanus::proxy {
namespace {

Status CheckEntries(const ProxyOptions& options, const BucketsPlan& plan, size_t nq) {
  const double entries = static_cast<double>(nq) * static_cast<double>(plan.buckets_max) *
                         static_cast<double>(plan.hits_max);
  if (entries > static_cast<double>(options.aggregation_entries_max)) {
    return Invalid("search_aggregation asks for {} hits, at most {} are allowed", entries,
                   options.aggregation_entries_max);
  }
  if (plan.keys.size() > static_cast<size_t>(options.group_fields_max)) {
    return Invalid("search_aggregation has {} fields, at most {} are allowed", plan.keys.size(),
                   options.group_fields_max);
  }
  return {};
}

// Array fields have no place in a bucket's hits.
Status CheckOutput(const model::CollectionSchema& schema, const OutputFields& output) {
  for (FieldId id : output.ids) {
    const model::FieldSchema* field = schema.FindField(id);
    if (field->type == model::DataType::kArray || field->type == model::DataType::kArrayOfVector)
      return Invalid("search_aggregation: field {} of type {} cannot be in the hits of a bucket",
                     field->name, model::NameOf(field->type));
  }
  return {};
}

}  // namespace

Result<model::AggregatedResult> SearchAndAggregate(Context& ctx, Services& services,
                                                   model::SearchRequest request) {
  TRY_ASSIGN(const auto collection, Resolve(ctx, services, request.name));
  const model::CollectionSchema& schema = collection->schema;
  TRY_ASSIGN(BucketsPlan plan, PlanBuckets(schema, request.aggregation));
  const size_t nq = std::max<size_t>(request.queries.rows, request.query_keys.rows);
  TRY(CheckEntries(services.options, plan, nq));
  TRY_ASSIGN(const OutputFields output, ResolveOutput(schema, request.output_fields));
  TRY(CheckOutput(schema, output));
  request.output_fields.insert(request.output_fields.end(), plan.reads.begin(), plan.reads.end());
  SearchForm form;
  form.buckets.emplace();
  form.buckets->fields = plan.keys;
  form.buckets->size = static_cast<int64_t>(plan.hits_max);
  form.buckets->is_strict = true;
  form.buckets_max = static_cast<int64_t>(plan.buckets_max);
  form.top_k_default = form.buckets_max;
  model::AggregatedResult answer;
  TRY_ASSIGN(answer.hits, SearchAs(ctx, services, std::move(request), form));
  plan.larger_is_better = answer.hits.larger_is_better;
  size_t begin = 0;
  for (uint32_t count : answer.hits.counts) {
    TRY(ctx.CheckAlive());
    TRY_ASSIGN(auto buckets, MakeBuckets(plan, answer.hits, begin, begin + count));
    answer.buckets.push_back(std::move(buckets));
    begin += count;
  }
  // What was read for the buckets only is not shown.
  std::erase_if(answer.hits.columns, [&](const model::Column& column) {
    return std::find(output.ids.begin(), output.ids.end(), column.field_id) == output.ids.end();
  });
  answer.hits.output_fields = output.names;
  return answer;
}

}  // namespace elanus::proxy
