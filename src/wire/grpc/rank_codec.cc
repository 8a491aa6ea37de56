// Chains and buckets.
#include "wire/grpc/rank_codec.h"

#include "milvus.pb.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::milvus;
namespace common = milvus::proto::common;
namespace schema = milvus::proto::schema;

using model::DataType;
using model::Scalar;

// Lists in lists in lists.
constexpr int kDepthMax = 8;
constexpr size_t kLevelsMax = 16;

Result<Scalar> DecodeValue(const schema::FunctionParamValue& from, int depth) {
  switch (from.value_case()) {
    case schema::FunctionParamValue::kBoolValue:
      return Scalar(from.bool_value());
    case schema::FunctionParamValue::kInt64Value:
      return Scalar(int64_t{from.int64_value()});
    case schema::FunctionParamValue::kDoubleValue:
      return Scalar(from.double_value());
    case schema::FunctionParamValue::kStringValue:
      return Scalar(from.string_value());
    case schema::FunctionParamValue::kBytesValue:
      return Scalar(from.bytes_value());
    case schema::FunctionParamValue::kArrayValue: {
      if (depth == 0) return Invalid("a function parameter nests too deep");
      model::ScalarList list;
      for (const auto& value : from.array_value().values()) {
        TRY_ASSIGN(Scalar one, DecodeValue(value, depth - 1));
        list.push_back(std::move(one));
      }
      return Scalar(std::move(list));
    }
    default:
      return Invalid("a function parameter should be a bool, a number, a text or a list");
  }
}

// An object is a null under its name, and its members are there as "name.member".
template <class Map>
Status AddParams(const Map& from, const std::string& prefix, int depth,
                 std::map<std::string, Scalar>& params) {
  for (const auto& [key, value] : from) {
    if (!value.has_object_value()) {
      TRY_ASSIGN(params[prefix + key], DecodeValue(value, kDepthMax));
      continue;
    }
    if (depth == 0) return Invalid("a function parameter nests too deep");
    params[prefix + key] = Scalar();
    TRY(AddParams(value.object_value().fields(), prefix + key + ".", depth - 1, params));
  }
  return {};
}

template <class Map>
Result<std::map<std::string, Scalar>> DecodeParams(const Map& from) {
  std::map<std::string, Scalar> params;
  TRY(AddParams(from, "", kDepthMax, params));
  return params;
}

Result<model::ChainStep> DecodeStep(const schema::FunctionChainOp& from) {
  model::ChainStep step{.op = from.op(),
                        .expression = {},
                        .inputs = {from.inputs().begin(), from.inputs().end()},
                        .outputs = {from.outputs().begin(), from.outputs().end()},
                        .params = {}};
  TRY_ASSIGN(step.params, DecodeParams(from.params()));
  step.expression.name = from.expr().name();
  TRY_ASSIGN(step.expression.params, DecodeParams(from.expr().params()));
  for (const auto& argument : from.expr().args()) {
    model::ChainArgument decoded{.column = argument.column().name(), .literal = {}};
    if (argument.has_literal()) {
      TRY_ASSIGN(decoded.literal, DecodeValue(argument.literal(), kDepthMax));
    }
    step.expression.arguments.push_back(std::move(decoded));
  }
  return step;
}

template <class Message>
model::BucketOrder DecodeOrder(const std::string& key, const Message& from) {
  return {.key = key, .direction = from.direction(), .nulls_first = from.null_first()};
}

template <class Message>
void EncodeScalar(const Scalar& value, Message& to) {
  if (value.is_bool()) to.set_bool_val(value.as_bool());
  if (value.is_int()) to.set_int_val(value.as_int());
  if (value.is_string()) to.set_string_val(value.as_string());
}

void EncodeMetric(const Scalar& value, schema::MetricValue& to) {
  EncodeScalar(value, to);
  if (value.is_double()) to.set_double_val(value.as_double());
}

void EncodeField(const model::Column& column, size_t row, schema::AggHitField& to) {
  const model::ColumnView values = column.view();
  to.set_field_id(column.field_id.value());
  to.set_field_name(column.name);
  if (!values.IsValid(row)) return;
  switch (column.type) {
    case DataType::kBool:
      return to.set_bool_val(values.Get<uint8_t>(row) != 0);
    case DataType::kInt8:
      return to.set_int_val(values.Get<int8_t>(row));
    case DataType::kInt16:
      return to.set_int_val(values.Get<int16_t>(row));
    case DataType::kInt32:
      return to.set_int_val(values.Get<int32_t>(row));
    case DataType::kInt64:
    case DataType::kTimestamptz:
      return to.set_int_val(values.Get<int64_t>(row));
    case DataType::kFloat:
      return to.set_float_val(values.Get<float>(row));
    case DataType::kDouble:
      return to.set_double_val(values.Get<double>(row));
    case DataType::kVarChar:
      return to.set_string_val(std::string(values.Bytes(row)));
    default:
      return to.set_bytes_val(std::string(values.Bytes(row)));
  }
}

void EncodeHit(const model::SearchResult& hits, uint32_t hit, schema::AggHit& to) {
  const model::ColumnView keys = hits.primary_keys.view();
  if (keys.type == DataType::kInt64) {
    to.set_int_pk(keys.Get<int64_t>(hit));
  } else {
    to.set_str_pk(std::string(keys.Bytes(hit)));
  }
  to.set_score(hits.scores[hit]);
  for (const model::Column& column : hits.columns) EncodeField(column, hit, *to.add_fields());
}

void EncodeBucket(const model::SearchResult& hits, const model::Bucket& bucket,
                  schema::AggBucket& to) {
  for (const model::Bucket::Key& key : bucket.key) {
    auto* entry = to.add_key();
    entry->set_field_id(key.field.value());
    entry->set_field_name(key.name);
    EncodeScalar(key.value, *entry);
  }
  to.set_count(bucket.count);
  for (const auto& [alias, value] : bucket.metrics) {
    EncodeMetric(value, (*to.mutable_metrics())[alias]);
  }
  for (uint32_t hit : bucket.hits) EncodeHit(hits, hit, *to.add_hits());
  for (const model::Bucket& inner : bucket.buckets) EncodeBucket(hits, inner, *to.add_sub_groups());
}

}  // namespace

Result<std::vector<model::FunctionChain>> DecodeChains(const pb::SearchRequest& from) {
  std::vector<model::FunctionChain> chains;
  for (const schema::FunctionChain& chain : from.function_chains()) {
    model::FunctionChain decoded{.name = chain.name(), .stage = chain.stage(), .steps = {}};
    for (const schema::FunctionChainOp& op : chain.ops()) {
      TRY_ASSIGN(model::ChainStep step, DecodeStep(op));
      decoded.steps.push_back(std::move(step));
    }
    chains.push_back(std::move(decoded));
  }
  return chains;
}

std::vector<model::BucketLevel> DecodeAggregation(const pb::SearchRequest& from) {
  std::vector<model::BucketLevel> levels;
  if (!from.has_search_aggregation()) return levels;
  const common::SearchAggregationSpec* spec = &from.search_aggregation();
  while (levels.size() < kLevelsMax) {
    model::BucketLevel level{.fields = {spec->fields().begin(), spec->fields().end()},
                             .size = spec->size(),
                             .search_size = spec->search_size(),
                             .metrics = {},
                             .order = {},
                             .top_hits = {}};
    for (const auto& [alias, metric] : spec->metrics()) {
      level.metrics[alias] = {.op = metric.op(), .field = metric.field_name()};
    }
    for (const auto& order : spec->order()) level.order.push_back(DecodeOrder(order.key(), order));
    if (spec->has_top_hits()) {
      level.top_hits = model::BucketLevel::TopHits{.size = spec->top_hits().size(), .sort = {}};
      for (const auto& sort : spec->top_hits().sort()) {
        level.top_hits->sort.push_back(DecodeOrder(sort.field_name(), sort));
      }
    }
    levels.push_back(std::move(level));
    if (!spec->has_sub_aggregation()) break;
    spec = &spec->sub_aggregation();
  }
  return levels;
}

void EncodeBuckets(const model::AggregatedResult& result, const std::string& collection,
                   pb::SearchResults& answer) {
  answer.mutable_status();
  answer.set_collection_name(collection);
  auto* data = answer.mutable_results();
  data->set_num_queries(result.hits.nq);
  data->set_top_k(result.hits.top_k);
  data->set_all_search_count(result.hits.searched_rows);
  data->set_primary_field_name(result.hits.primary_field);
  for (const std::string& name : result.hits.output_fields) data->add_output_fields(name);
  for (const auto& buckets : result.buckets) {
    data->add_topks(0);
    data->add_agg_topks(static_cast<int64_t>(buckets.size()));
    for (const model::Bucket& bucket : buckets) {
      EncodeBucket(result.hits, bucket, *data->add_agg_buckets());
    }
  }
}

}  // namespace elanus::wire
