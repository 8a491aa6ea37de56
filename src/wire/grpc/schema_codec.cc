// Schemas, properties and template values.
#include "wire/grpc/schema_codec.h"

#include <nlohmann/json.hpp>
#include <set>

#include "common.pb.h"
#include "geometry/text.h"
#include "model/text_numbers.h"
#include "proxy/json_text.h"
#include "proxy/moments.h"
#include "schema.pb.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
using model::DataType;
using model::Scalar;

Result<Scalar> DecodeDefault(const pb::ValueField& value, DataType type, const std::string& field) {
  switch (value.data_case()) {
    case pb::ValueField::kBoolData:
      return Scalar(value.bool_data());
    case pb::ValueField::kIntData:
      return Scalar(int64_t{value.int_data()});
    case pb::ValueField::kLongData:
      return Scalar(value.long_data());
    case pb::ValueField::kFloatData:
      return Scalar(double{value.float_data()});
    case pb::ValueField::kDoubleData:
      return Scalar(value.double_data());
    case pb::ValueField::kStringData:
      return Scalar(value.string_data());
    case pb::ValueField::kTimestamptzData:
      if (type == DataType::kTimestamptz) return Scalar(value.timestamptz_data());
      break;
    default:
      break;
  }
  return Invalid("the default value of field {} has an unknown type", field);
}

void EncodeDefault(const model::FieldSchema& field, const TimeZone& zone, pb::ValueField* to) {
  const Scalar& value = *field.default_value;
  switch (field.type) {
    case DataType::kBool:
      to->set_bool_data(value.as_bool());
      break;
    case DataType::kInt64:
      to->set_long_data(value.as_int());
      break;
    case DataType::kFloat:
      to->set_float_data(static_cast<float>(value.number()));
      break;
    case DataType::kDouble:
      to->set_double_data(value.number());
      break;
    case DataType::kVarChar:
    case DataType::kText:
      to->set_string_data(value.as_string());
      break;
    case DataType::kGeometry: {
      const Result<std::string> text = geometry::WriteWkt(value.as_string());
      to->set_string_data(text.ok() ? *text : std::string());
      break;
    }
    case DataType::kTimestamptz:
      to->set_string_data(model::FormatTimestamptz(value.as_int(), zone));
      break;
    default:
      to->set_int_data(static_cast<int32_t>(value.as_int()));
  }
}

// A geometry comes as text and is kept as columns hold it.
Status ReadDefaultGeometry(model::FieldSchema& field) {
  if (field.type != DataType::kGeometry || !field.default_value->is_string()) return {};
  Result<std::string> wkb = geometry::ReadWkt(field.default_value->as_string());
  if (!wkb.ok()) {
    return Invalid("the default value of field {} is no geometry: {}", field.name,
                   wkb.status().message());
  }
  field.default_value = *std::move(wkb);
  return {};
}

void EncodeField(const model::FieldSchema& field, const TimeZone& zone, pb::FieldSchema* encoded) {
  encoded->set_fieldid(field.id.value());
  encoded->set_name(std::string(field.bare_name()));
  encoded->set_description(field.description);
  encoded->set_data_type(static_cast<pb::DataType>(field.type));
  encoded->set_element_type(static_cast<pb::DataType>(field.element_type));
  encoded->set_is_primary_key(field.is_primary_key);
  encoded->set_autoid(field.auto_id);
  encoded->set_nullable(field.nullable);
  encoded->set_is_partition_key(field.is_partition_key);
  encoded->set_is_clustering_key(field.is_clustering_key);
  std::vector<model::KeyValue> shown = field.type_params;
  std::erase_if(shown, [](const auto& param) { return model::IsTextNumberKey(param.key); });
  EncodePairs(shown, encoded->mutable_type_params());
  if (field.default_value) EncodeDefault(field, zone, encoded->mutable_default_value());
  encoded->set_is_function_output(field.is_function_output);
}

void EncodeFunction(const model::CollectionSchema& schema, const model::FunctionSchema& from,
                    pb::FunctionSchema* to) {
  to->set_id(from.id);
  to->set_name(from.name);
  to->set_description(from.description);
  to->set_type(static_cast<pb::FunctionType>(from.type));
  for (const std::string& name : from.inputs) {
    to->add_input_field_names(name);
    if (const auto* field = schema.FindField(name)) to->add_input_field_ids(field->id.value());
  }
  for (const std::string& name : from.outputs) {
    to->add_output_field_names(name);
    if (const auto* field = schema.FindField(name)) to->add_output_field_ids(field->id.value());
  }
  EncodePairs(from.params, to->mutable_params());
}

constexpr int kTemplateDepthMax = 100;

Result<Scalar> FromJson(const nlohmann::json& json) {
  if (json.is_boolean()) return Scalar(json.get<bool>());
  const bool fits = !json.is_number_unsigned() || json.get<uint64_t>() <= INT64_MAX;
  if (json.is_number_integer() && fits) return Scalar(json.get<int64_t>());
  if (json.is_number()) return Scalar(json.get<double>());
  if (json.is_string()) return Scalar(json.get<std::string>());
  if (!json.is_array()) return Invalid("a template value may not hold null or an object");
  model::ScalarList list;
  for (const auto& item : json) {
    TRY_ASSIGN(Scalar scalar, FromJson(item));
    list.push_back(std::move(scalar));
  }
  return Scalar(std::move(list));
}

Result<Scalar> DecodeTemplateArray(const pb::TemplateArrayValue& from) {
  model::ScalarList list;
  switch (from.data_case()) {
    case pb::TemplateArrayValue::kBoolData:
      for (bool v : from.bool_data().data()) list.emplace_back(v);
      break;
    case pb::TemplateArrayValue::kLongData:
      for (int64_t v : from.long_data().data()) list.emplace_back(v);
      break;
    case pb::TemplateArrayValue::kDoubleData:
      for (double v : from.double_data().data()) list.emplace_back(v);
      break;
    case pb::TemplateArrayValue::kStringData:
      for (const std::string& v : from.string_data().data()) list.emplace_back(v);
      break;
    case pb::TemplateArrayValue::kArrayData:
      for (const auto& inner : from.array_data().data()) {
        TRY_ASSIGN(Scalar scalar, DecodeTemplateArray(inner));
        list.push_back(std::move(scalar));
      }
      break;
    case pb::TemplateArrayValue::kJsonData:
      for (const std::string& text : from.json_data().data()) {
        TRY_ASSIGN(const nlohmann::json json,
                   proxy::ParseJson("a template value", text, kTemplateDepthMax));
        TRY_ASSIGN(Scalar scalar, FromJson(json));
        list.push_back(std::move(scalar));
      }
      break;
    default:
      break;
  }
  return Scalar(std::move(list));
}

}  // namespace

Result<model::FieldSchema> DecodeField(const pb::FieldSchema& field) {
  if (!field.external_field().empty()) {
    return Status(ErrorCode::kUnimplemented, "external collections are not supported yet");
  }
  model::FieldSchema decoded;
  decoded.name = field.name();
  decoded.description = field.description();
  decoded.type = static_cast<DataType>(field.data_type());
  decoded.element_type = static_cast<DataType>(field.element_type());
  decoded.is_primary_key = field.is_primary_key();
  decoded.auto_id = field.autoid();
  decoded.is_dynamic = field.is_dynamic();
  decoded.nullable = field.nullable();
  decoded.is_partition_key = field.is_partition_key();
  decoded.is_clustering_key = field.is_clustering_key();
  decoded.type_params = DecodePairs(field.type_params());
  for (const model::KeyValue& param : decoded.type_params) {
    if (model::IsTextNumberKey(param.key)) {
      return Invalid("type param {} of field {} is the server's own", param.key, field.name());
    }
  }
  std::set<std::string_view> index_keys;
  for (const auto& param : field.index_params()) {
    if (!index_keys.insert(param.key()).second) {
      return Invalid("duplicated index param key {} of field {}", param.key(), field.name());
    }
  }
  if (field.has_default_value() &&
      field.default_value().data_case() != pb::ValueField::DATA_NOT_SET) {
    TRY_ASSIGN(decoded.default_value,
               DecodeDefault(field.default_value(), decoded.type, field.name()));
    TRY(ReadDefaultGeometry(decoded));
  }
  return decoded;
}

model::FunctionSchema DecodeFunction(const pb::FunctionSchema& from) {
  return {
      .name = from.name(),
      .description = from.description(),
      .type = static_cast<model::FunctionType>(from.type()),
      .inputs = {from.input_field_names().begin(), from.input_field_names().end()},
      .outputs = {from.output_field_names().begin(), from.output_field_names().end()},
      .params = DecodePairs(from.params()),
  };
}

Result<model::NewStruct> DecodeStruct(const pb::StructArrayFieldSchema& from) {
  model::NewStruct decoded{.info = {.name = from.name(),
                                    .description = from.description(),
                                    .nullable = from.nullable(),
                                    .type_params = DecodePairs(from.type_params())}};
  for (const pb::FieldSchema& part : from.fields()) {
    TRY_ASSIGN(model::FieldSchema field, DecodeField(part));
    field.struct_name = from.name();
    field.name = model::SubFieldName(from.name(), part.name());
    field.nullable = field.nullable || from.nullable();
    decoded.fields.push_back(std::move(field));
  }
  return decoded;
}

std::vector<model::KeyValue> DecodePairs(const KeyValuePairs& from) {
  std::vector<model::KeyValue> pairs;
  for (const auto& pair : from) pairs.push_back({pair.key(), pair.value()});
  return pairs;
}

void EncodePairs(const std::vector<model::KeyValue>& from, KeyValuePairs* to) {
  for (const model::KeyValue& kv : from) {
    auto* pair = to->Add();
    pair->set_key(kv.key);
    pair->set_value(kv.value);
  }
}

Result<model::CollectionSchema> DecodeSchema(const pb::CollectionSchema& from) {
  if (!from.external_source().empty() || !from.external_spec().empty()) {
    return Status(ErrorCode::kUnimplemented, "external collections are not supported yet");
  }
  if (from.enable_namespace()) {
    return Status(ErrorCode::kUnimplemented, "namespaces are not supported yet");
  }
  model::CollectionSchema schema;
  schema.name = from.name();
  schema.description = from.description();
  schema.enable_dynamic_field = from.enable_dynamic_field();
  for (const pb::FieldSchema& field : from.fields()) {
    TRY_ASSIGN(model::FieldSchema decoded, DecodeField(field));
    schema.fields.push_back(std::move(decoded));
  }
  for (const pb::FunctionSchema& function : from.functions()) {
    schema.functions.push_back(DecodeFunction(function));
  }
  for (const pb::StructArrayFieldSchema& field : from.struct_array_fields()) {
    TRY_ASSIGN(model::NewStruct decoded, DecodeStruct(field));
    schema.structs.push_back(std::move(decoded.info));
    for (model::FieldSchema& part : decoded.fields) schema.fields.push_back(std::move(part));
  }
  return schema;
}

std::vector<model::KeyValue> ShownProperties(const model::CollectionInfo& info) {
  std::vector<model::KeyValue> shown = info.properties;
  model::Put(shown, "max_field_id", std::to_string(info.schema.highest_field_id()));
  if (model::Find(shown, "namespace.sharding.enabled") == nullptr) {
    shown.push_back({"namespace.sharding.enabled", "false"});
  }
  return shown;
}

void EncodeSchema(const model::CollectionInfo& info, pb::CollectionSchema* to) {
  const model::CollectionSchema& schema = info.schema;
  to->set_name(schema.name);
  to->set_description(schema.description);
  to->set_enable_dynamic_field(schema.enable_dynamic_field);
  to->set_version(schema.version);
  to->set_dbname(info.database);
  EncodePairs(ShownProperties(info), to->mutable_properties());
  const Result<TimeZone> known_zone = proxy::ZoneOf(info.properties);
  const TimeZone zone = known_zone.ok() ? *known_zone : TimeZone();
  for (const model::FieldSchema& field : schema.fields) {
    if (field.is_dynamic || field.is_sub_field()) continue;
    EncodeField(field, zone, to->add_fields());
    if (field.is_primary_key) to->set_autoid(field.auto_id);
  }
  for (const model::FunctionSchema& function : schema.functions) {
    EncodeFunction(schema, function, to->add_functions());
  }
  for (const model::StructSchema& known : schema.structs) {
    pb::StructArrayFieldSchema* encoded = to->add_struct_array_fields();
    encoded->set_fieldid(known.id.value());
    encoded->set_name(known.name);
    encoded->set_description(known.description);
    encoded->set_nullable(known.nullable);
    EncodePairs(known.type_params, encoded->mutable_type_params());
    for (const model::FieldSchema& field : schema.fields) {
      if (field.struct_name == known.name) EncodeField(field, zone, encoded->add_fields());
    }
  }
}

Result<Scalar> DecodeTemplate(const pb::TemplateValue& from) {
  switch (from.val_case()) {
    case pb::TemplateValue::kBoolVal:
      return Scalar(from.bool_val());
    case pb::TemplateValue::kInt64Val:
      return Scalar(from.int64_val());
    case pb::TemplateValue::kFloatVal:
      return Scalar(from.float_val());
    case pb::TemplateValue::kStringVal:
      return Scalar(from.string_val());
    case pb::TemplateValue::kArrayVal:
      return DecodeTemplateArray(from.array_val());
    default:
      return Invalid("a template value has no known type");
  }
}

}  // namespace elanus::wire
