// Planning and running a search.
#include "proxy/ops/search_plan.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "base/profile.h"
#include "expr/element_filter.h"
#include "expr/expr.h"
#include "functions/models.h"
#include "index/embedding_list.h"
#include "index/search_params.h"
#include "model/left_out.h"
#include "model/reduce.h"
#include "proxy/checks.h"
#include "proxy/functions.h"
#include "proxy/ops/element_scope.h"
#include "proxy/partition_key.h"
#include "proxy/query_mode.h"
#include "proxy/vector_lists.h"
#include "proxy/vector_values.h"

namespace elanus::proxy {
namespace {

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

// What FitTextQueries has left: an embedding function makes vectors of them.
bool AreTexts(const model::Column& queries) { return queries.type == model::DataType::kVarChar; }

// Brings query vectors into the type of the field, or says why they are none of it.
Status FitQueries(const model::FieldSchema& field, model::Metric metric, model::Column& queries) {
  if (field.type == model::DataType::kArrayOfVector && !model::IsMaxSim(metric) &&
      queries.type != model::DataType::kArrayOfVector) {
    model::FieldSchema element = field;  // One of its vectors is searched for.
    element.type = field.element_type;
    return FitQueries(element, metric, queries);
  }
  if (field.type == model::DataType::kArrayOfVector ||
      queries.type == model::DataType::kArrayOfVector) {
    return FitListQueries(field, metric, queries);
  }
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

// What the field's index type says of its parameters, also where no segment has the index yet: the
// same search is right or wrong whatever the state of the rows.
Status CheckIndexParams(const model::FieldSchema& field, const model::IndexInfo& index,
                        model::Metric metric, const std::map<std::string, std::string>& texts) {
  const auto element = index::ElementOf(field.vector_type());
  if (!element) return {};
  const index::IndexType* type = index::FindType(index::KindOf(*element), index.type);
  if (type == nullptr) return {};  // Of a version that had it.
  return index::ParseSearchParams(index::ParamsFor(*type, metric), texts).status();
}

// What a search for single vectors of lists cannot be, and element_scope not go with.
Status CheckElementSearch(const model::CollectionSchema& schema, const SearchParams& params,
                          bool by_element) {
  if (!by_element) {
    return params.fold ? Invalid("element_scope is for a search for elements of a struct array")
                       : Status();
  }
  if (params.iterator && !params.cursor)
    return Invalid("elements of a struct array take iterators of the second form only");
  if (params.fold && (params.cursor || params.group.is_on()))
    return Invalid("element_scope cannot be used with an iterator or group by");
  const bool by_key =
      params.group.fields.size() == 1 && params.group.fields[0] == schema.primary_key().name;
  if (params.group.is_on() && !by_key)
    return Invalid("elements of a struct array can be grouped by the primary key only");
  return {};
}

// `filtered`: a sub-field of the struct that an element_filter reads, when there is one.
Status CheckElementFilter(const model::CollectionSchema& schema, const model::FieldSchema& field,
                          bool by_element, std::optional<FieldId> filtered) {
  if (!filtered) return {};
  const std::string& filtered_struct = schema.FindField(*filtered)->struct_name;
  if (by_element && filtered_struct == field.struct_name) return {};
  return Invalid(
      "element_filter is only supported for element-level search on a vector of the same struct, "
      "{}; use match_any for rows",
      filtered_struct);
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

// A client may say another number than it has queries: both have to be in range.
Status CheckCount(const ProxyOptions& options, int64_t nq) {
  if (nq < 1 || nq > options.nq_max) {
    return Invalid("nq [{}] is invalid, it should be in range [1, {}]", nq, options.nq_max);
  }
  return {};
}

Status CheckKeys(const model::CollectionSchema& schema, const model::FieldSchema& field,
                 const model::Column& keys) {
  if (keys.type != schema.primary_key().type)
    return Invalid("the ids of a search are not of the primary key's type");
  if (field.type == model::DataType::kArrayOfVector)
    return Invalid("field {} cannot be searched by ids", field.name);
  const model::ColumnView view = keys.view();
  std::unordered_set<std::string_view> met;
  for (size_t i = 0; i < view.rows; ++i) {
    if (!met.insert(view.Bytes(i)).second) return Invalid("the ids of a search repeat");
  }
  return {};
}

Status CheckPlan(const ProxyOptions& options, const SearchPlan& plan, size_t nq) {
  if (plan.params.cursor && nq != 1)
    return Invalid("search_iter_v2 takes one query vector, got {}", nq);
  if (plan.params.group.is_on() && plan.field->type == model::DataType::kBinaryVector)
    return Invalid("a search of the binary vector field {} cannot be grouped", plan.field->name);
  const int64_t entries =
      static_cast<int64_t>(nq) * plan.params.top_k * std::max<int64_t>(1, plan.params.group.size);
  if (options.result_entries_max >= 0 && entries > options.result_entries_max) {
    return Invalid("the search asks for {} hits, at most {} are allowed", entries,
                   options.result_entries_max);
  }
  return {};
}

// Of a collection that is not loaded, or has no index, that is told first.
Status CheckMetric(const model::CollectionInfo& collection, const model::FieldSchema& field,
                   const std::string& metric) {
  const model::IndexInfo* index = collection.IndexOf(field.id);
  if (!collection.loaded || index == nullptr || metric.empty() || metric == index->metric)
    return {};
  return Invalid("metric type not match: invalid parameter[expected={}][actual={}]", index->metric,
                 metric);
}

// A key as users write it.
std::string KeyText(const model::ColumnView& keys, size_t i) {
  if (keys.type == model::DataType::kInt64) return std::to_string(keys.Get<int64_t>(i));
  return std::string(keys.Bytes(i));
}

// Answers about one query each, one after the other.
model::PartialHits Concat(const std::vector<model::PartialHits>& parts) {
  model::PartialHits all = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    const model::PartialHits& part = parts[i];
    all.counts.insert(all.counts.end(), part.counts.begin(), part.counts.end());
    all.scores.insert(all.scores.end(), part.scores.begin(), part.scores.end());
    all.primary_keys.AppendAll(part.primary_keys.view());
    for (size_t c = 0; c < all.columns.size(); ++c) {
      all.columns[c].AppendAll(part.columns[c].view());
    }
    for (size_t c = 0; c < all.group_values.size(); ++c) {
      all.group_values[c].AppendAll(part.group_values[c].view());
    }
  }
  return all;
}

Result<model::PartialHits> RunOnShards(Context& ctx, Services& services, Timestamp guarantee,
                                       model::ShardSearch search, ReadScope& scope) {
  const std::vector<std::string>& vchannels = scope.collection->vchannels;
  const auto at_shard = [&](model::ShardSearch& one, size_t shard) {
    one.read.vchannel = vchannels[shard];
    if (one.read.partitions.empty()) one.read.partitions = scope.partitions;
    one.read.guarantee = guarantee;
    if (scope.moments.empty()) return;
    one.read.guarantee = std::max(scope.moments[shard], scope.ends);
    one.read.read_at = scope.moments[shard];
  };
  if (vchannels.size() == 1) {
    at_shard(search, 0);
    TRY_ASSIGN(model::PartialHits hits, services.streaming.Search(ctx, std::move(search)));
    scope.moments = {hits.read_at};
    return hits;
  }
  if (search.metric == model::Metric::kBm25) {
    // A row's score is by the whole collection, whichever shard it happens to be in.
    ProfileStep counting(ctx, "count terms");
    std::vector<model::TermTotals> counted(vchannels.size());
    TRY(services.fan_out.ParallelFor(counting.ctx(), vchannels.size(), [&](size_t shard) -> Status {
      model::ShardSearch one = search;
      at_shard(one, shard);
      TRY_ASSIGN(counted[shard], services.streaming.CountTerms(counting.ctx(), one));
      return {};
    }));
    search.totals.emplace();
    for (const model::TermTotals& totals : counted) search.totals->Add(totals);
  }
  std::vector<model::PartialHits> parts(vchannels.size());
  TRY(services.fan_out.ParallelFor(ctx, vchannels.size(), [&](size_t shard) -> Status {
    model::ShardSearch one = search;
    at_shard(one, shard);
    TRY_ASSIGN(parts[shard], services.streaming.Search(ctx, std::move(one)));
    return {};
  }));
  scope.moments.clear();
  for (const model::PartialHits& part : parts) scope.moments.push_back(part.read_at);
  return model::ReduceHits(parts, search);
}

// The groups that were found, filled: each query asks for its own.
Result<model::PartialHits> FillGroups(Context& ctx, Services& services,
                                      const model::ShardSearch& search,
                                      const model::PartialHits& heads, const ReadScope& scope) {
  std::vector<model::PartialHits> parts(heads.counts.size());
  std::vector<size_t> begins;
  size_t begin = 0;
  for (uint32_t count : heads.counts) {
    begins.push_back(begin);
    begin += count;
  }
  TRY(services.fan_out.ParallelFor(ctx, parts.size(), [&](size_t q) -> Status {
    model::ShardSearch one = search;
    one.queries = model::EmptyLike(search.queries);
    one.queries.AppendRow(search.queries.view(), q);
    one.grouping.only.clear();
    for (const model::Column& column : heads.group_values) {
      one.grouping.only.push_back(model::EmptyLike(column));
      one.grouping.only.back().AppendAll(column.view().Slice(begins[q], heads.counts[q]));
    }
    ReadScope same = scope;
    if (heads.counts[q] == 0) one.grouping.only.clear();  // Nothing to fill: the same none again.
    one.k = std::max<uint32_t>(1, heads.counts[q]);
    TRY_ASSIGN(parts[q], RunOnShards(ctx, services, Timestamp(), std::move(one), same));
    return {};
  }));
  model::PartialHits all = Concat(parts);
  all.read_at = heads.read_at;
  all.searched_rows = heads.searched_rows;  // The same rows were looked at again.
  return all;
}

// The collection without the fields that were left out when it was loaded.
roles::CollectionSnapshot AsLoaded(roles::CollectionSnapshot collection) {
  if (collection->fields_left_out.empty()) return collection;
  auto loaded = std::make_shared<model::CollectionInfo>(*collection);
  std::erase_if(loaded->schema.fields,
                [&](const auto& field) { return collection->IsLeftOut(field.id); });
  const auto& fields = loaded->schema.fields;
  std::erase_if(loaded->schema.structs, [&](const model::StructSchema& known) {
    return std::none_of(fields.begin(), fields.end(),
                        [&](const auto& field) { return field.struct_name == known.name; });
  });
  for (FieldId id : collection->fields_left_out) {
    const model::FieldSchema* field = collection->schema.FindField(id);
    if (field != nullptr) model::NoteLeftOut(loaded->schema, field->name);
  }
  loaded->schema.enable_dynamic_field = loaded->schema.dynamic_field() != nullptr;
  return loaded;
}

}  // namespace

Result<ReadScope> OpenRead(Context& ctx, Services& services, const model::CollectionName& name,
                           const std::vector<std::string>& partitions) {
  ReadScope scope;
  TRY_ASSIGN(scope.collection, services.coord.catalog.Find(ctx, name));
  scope.collection = AsLoaded(std::move(scope.collection));
  TRY(CheckNoPartitionNames(*scope.collection, partitions));
  TRY(CheckHasPartitionKey(services.options, *scope.collection));
  scope.data_ratio_min = services.options.data_ratio_min;
  TRY_ASSIGN(scope.partitions, ReadPartitions(services.options, *scope.collection, partitions));
  return scope;
}

Status CheckLoaded(ReadScope& scope) {
  const model::CollectionInfo& collection = *scope.collection;
  if (!collection.loaded) {
    return Error(ErrorCode::kCollectionNotLoaded, "{}[collection={}]",
                 InfoOf(ErrorCode::kCollectionNotLoaded).name, collection.schema.name);
  }
  for (const model::PartitionInfo& partition : collection.partitions) {
    const bool is_wanted = std::find(scope.partitions.begin(), scope.partitions.end(),
                                     partition.id) != scope.partitions.end();
    if (is_wanted && !collection.IsLoaded(partition.id)) {
      return Error(ErrorCode::kPartitionNotLoaded, "{}[partition={}]",
                   InfoOf(ErrorCode::kPartitionNotLoaded).name, partition.name);
    }
  }
  if (scope.partitions.empty()) scope.partitions = collection.loaded_partitions;
  return {};
}

Result<SearchPlan> PlanSearch(const ProxyOptions& options, const ReadScope& scope,
                              const SearchForm& form, model::SearchRequest& request) {
  const model::CollectionInfo& collection = *scope.collection;
  const model::CollectionSchema& schema = collection.schema;
  const bool by_keys = request.query_keys.rows > 0;
  const size_t queries = by_keys ? request.query_keys.rows : request.queries.rows;
  if (request.nq_given != 0) TRY(CheckCount(options, request.nq_given));
  TRY(CheckCount(options, static_cast<int64_t>(queries)));
  SearchPlan plan;
  const ProxyOptions limits = LimitsOf(options, collection.properties);
  SearchParamsReader reader(limits, request.params, form);
  TRY(reader.ReadGrowing());
  TRY(reader.CheckBuckets());
  TRY_ASSIGN(plan.field, VectorField(schema, request.anns_field));
  TRY(reader.ReadWindow());
  TRY(CheckMetric(collection, *plan.field, reader.params().metric));
  TRY(reader.ReadRest(collection.id));
  plan.params = reader.params();
  const SearchParams& params = plan.params;
  TRY(CheckPlan(options, plan, queries));
  model::ShardSearch& search = plan.search;
  TRY_ASSIGN(search.grouping, ResolveGrouping(schema, params.group));
  TRY_ASSIGN(plan.moments, MomentFormOf(request.params, collection));
  const std::string& timezone = plan.moments.zone.name();
  const auto bound = expr::Bind(request.filter, schema, request.templates, timezone);
  if (!bound.ok()) return Status(bound.status()).WithContext("failed to create query plan");
  const std::optional<FieldId> element_filter = expr::ElementFilterField(*bound);
  TRY(CheckIsolatedSearch(collection, *bound));
  const model::IndexInfo* index = collection.IndexOf(plan.field->id);
  if (!collection.loaded) return plan;  // Whoever runs it says so.
  if (index == nullptr) return Invalid("there is no vector index on field: [{}]", plan.field->name);
  const model::Metric metric = *model::MetricOf(index->metric);
  TRY(CheckIndexParams(*plan.field, *index, metric, params.index_params));
  TRY(CheckListSearch(metric, {.has_range = params.radius.has_value(),
                               .is_iterator = params.iterator || params.cursor.has_value(),
                               .is_grouped = params.group.is_on()}));
  if (by_keys) {
    TRY(CheckKeys(schema, *plan.field, request.query_keys));
    plan.query_keys = std::move(request.query_keys);
  } else {
    TRY(FitTextQueries(schema, *plan.field, AnalyzerNameOf(request.params), request.queries));
    if (!AreTexts(request.queries)) TRY(FitQueries(*plan.field, metric, request.queries));
    search.queries = std::move(request.queries);
  }
  search.by_element =
      plan.field->type == model::DataType::kArrayOfVector && !model::IsMaxSim(metric);
  TRY(CheckElementSearch(schema, params, search.by_element));
  if (params.fold) TRY(CheckFold(*params.fold, metric));
  search.fold = params.fold;
  TRY(CheckElementFilter(schema, *plan.field, search.by_element, element_filter));
  search.vector_field = plan.field->id;
  search.metric = *model::MetricOf(index->metric);
  // One more tells whether a page of an iterator would end between equal scores.
  search.k = plan.hits_wanted() + (params.cursor ? 1 : 0);
  search.params = params.index_params;
  // What a score means may hang on how the index was built (the bands of MINHASH_LSH).
  for (const model::KeyValue& built : index->build_params) {
    search.params.try_emplace(built.key, built.value);
  }
  search.iterative_filter = params.iterative_filter;
  search.has_radius = params.radius.has_value();
  search.radius = params.radius.value_or(0);
  search.has_range_filter = params.range_filter.has_value();
  search.range_filter = params.range_filter.value_or(0);
  // The bound of a page is a score as it is.
  if (!params.cursor) search.round_decimal = static_cast<int32_t>(params.round_decimal);
  search.cursor = params.cursor;
  search.read = {.vchannel = {},
                 .collection = collection.id,
                 .partitions = {},
                 .filter = std::move(request.filter),
                 .templates = std::move(request.templates),
                 .guarantee = {},
                 .read_at = {},
                 .ignore_growing = params.ignore_growing};
  search.read.timezone = timezone;
  search.read.partitions = ReachedPartitions(collection, *bound, {});
  search.read.schema_version = schema.version;
  search.read.data_ratio_min = scope.data_ratio_min;
  TRY(CheckRange(params, search.metric));
  return plan;
}

Status EmbedQueries(Context& ctx, Services& services, const ReadScope& scope,
                    std::span<SearchPlan> plans) {
  std::vector<SearchPlan*> with_texts;
  for (SearchPlan& plan : plans) {
    if (AreTexts(plan.search.queries)) with_texts.push_back(&plan);
  }
  if (with_texts.empty()) return {};
  ProfileStep step(ctx, "embed queries");
  TRY_ASSIGN(functions::Models* const models, ModelsOf(services));
  return models->ParallelFor(step.ctx(), with_texts.size(), [&](size_t i) -> Status {
    SearchPlan& plan = *with_texts[i];
    model::Column& queries = plan.search.queries;
    TRY_ASSIGN(queries, EmbedTexts(step.ctx(), services, scope.collection->schema, *plan.field,
                                   queries.view()));
    return FitQueries(*plan.field, plan.search.metric, queries);
  });
}

Status ReadQueries(Context& ctx, Services& services, const ReadScope& scope, SearchPlan& plan) {
  TRY_ASSIGN(const Fetched fetched,
             FetchByKeys(ctx, services, scope, plan.query_keys, {plan.field->id}));
  if (!fetched.missing.empty()) {
    std::string names;
    constexpr size_t kNamesMax = 10;
    for (size_t i = 0; i < std::min(kNamesMax, fetched.missing.size()); ++i) {
      names += (i == 0 ? "" : ", ") + KeyText(plan.query_keys.view(), fetched.missing[i]);
    }
    return Invalid("{} of the ids of the search are not in the collection: {}",
                   fetched.missing.size(), names);
  }
  const model::Column& vectors = fetched.columns[0];
  const model::ColumnView view = vectors.view();
  plan.search.queries = model::EmptyLike(vectors);
  for (size_t i = 0; i < view.rows; ++i) {
    plan.has_vector.push_back(view.IsValid(i) ? 1 : 0);
    if (view.IsValid(i)) plan.search.queries.AppendRow(view, i);
  }
  return {};
}

Result<model::PartialHits> RunSearch(Context& ctx, Services& services, Timestamp guarantee,
                                     model::ShardSearch search, bool fills_groups,
                                     ReadScope& scope) {
  fills_groups = fills_groups && search.grouping.is_on() && search.grouping.group_size > 1;
  if (!fills_groups) return RunOnShards(ctx, services, guarantee, std::move(search), scope);
  model::ShardSearch heads_search = search;
  heads_search.grouping.group_size = 1;
  heads_search.read.output_fields.clear();
  TRY_ASSIGN(const model::PartialHits heads,
             RunOnShards(ctx, services, guarantee, std::move(heads_search), scope));
  return FillGroups(ctx, services, search, heads, scope);
}

std::vector<float> RecallOf(const model::PartialHits& hits, const model::PartialHits& exact) {
  const model::ColumnView found = hits.primary_keys.view();
  const model::ColumnView truth = exact.primary_keys.view();
  std::vector<float> recalls;
  size_t at = 0;
  size_t truth_at = 0;
  for (size_t q = 0; q < hits.counts.size(); ++q) {
    std::unordered_set<std::string_view> true_keys;
    for (uint32_t i = 0; i < exact.counts[q]; ++i) true_keys.insert(truth.Bytes(truth_at++));
    uint32_t good = 0;
    for (uint32_t i = 0; i < hits.counts[q]; ++i) good += true_keys.contains(found.Bytes(at++));
    recalls.push_back(
        hits.counts[q] == 0 ? 0.0f : static_cast<float>(good) / static_cast<float>(hits.counts[q]));
  }
  return recalls;
}

}  // namespace elanus::proxy
