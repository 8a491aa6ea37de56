// Columns of the wire contract from and to JSON.
#include "columns.h"

#include <algorithm>
#include <cmath>

#include "vectors.h"

namespace elanus::cases {
namespace {

namespace pb = milvus::proto::schema;
using model::DataType;

bool TravelsAsText(DataType type) {
  return type == DataType::kVarChar || type == DataType::kText || type == DataType::kTimestamptz;
}

bool Fits(DataType type, const Json& value) {
  if (type == DataType::kBool) return value.is_boolean();
  if (model::IsInteger(type)) return value.is_number_integer();
  if (model::IsFloating(type)) return value.is_number();
  if (TravelsAsText(type)) return value.is_string();
  if (type == DataType::kGeometry) return value.is_string();
  if (type == DataType::kArray) return value.is_array();
  if (model::IsVector(type)) return VectorTypeOf(type, value) == type;
  return true;
}

DataType NaturalType(const Json& value) {
  if (value.is_boolean()) return DataType::kBool;
  if (value.is_number_integer()) return DataType::kInt64;
  if (value.is_number()) return DataType::kDouble;
  if (value.is_string()) return DataType::kVarChar;
  if (value.is_array()) return DataType::kArray;
  return DataType::kJson;
}

// Appends `values`, which are neither null nor arrays, as `type`.
void EncodeScalars(DataType type, const std::vector<Json>& values, pb::ScalarField* to) {
  switch (type) {
    case DataType::kBool:
      to->mutable_bool_data();
      for (const Json& v : values) to->mutable_bool_data()->add_data(v.is_boolean() && v);
      break;
    case DataType::kInt8:
    case DataType::kInt16:
    case DataType::kInt32:
      to->mutable_int_data();
      for (const Json& v : values) to->mutable_int_data()->add_data(v.get<int32_t>());
      break;
    case DataType::kInt64:
      to->mutable_long_data();
      for (const Json& v : values) to->mutable_long_data()->add_data(v.get<int64_t>());
      break;
    case DataType::kFloat:
      to->mutable_float_data();
      for (const Json& v : values) to->mutable_float_data()->add_data(v.get<float>());
      break;
    case DataType::kDouble:
      to->mutable_double_data();
      for (const Json& v : values) to->mutable_double_data()->add_data(v.get<double>());
      break;
    case DataType::kVarChar:
    case DataType::kText:
    case DataType::kTimestamptz:
      to->mutable_string_data();
      for (const Json& v : values) to->mutable_string_data()->add_data(v.get<std::string>());
      break;
    case DataType::kGeometry:
      to->mutable_geometry_wkt_data();
      for (const Json& v : values) to->mutable_geometry_wkt_data()->add_data(v.get<std::string>());
      break;
    default:
      to->mutable_json_data();
      for (const Json& v : values) to->mutable_json_data()->add_data(v.dump());
  }
}

// The type under which all values can travel: the wanted one, or that of the first that does not
// fit it.
DataType TravelType(DataType wanted, const std::vector<Json>& values) {
  for (const Json& value : values) {
    if (Fits(wanted, value)) continue;
    const DataType other = model::IsVector(wanted) ? VectorTypeOf(wanted, value) : DataType::kNone;
    return other != DataType::kNone ? other : NaturalType(value);
  }
  return wanted;
}

void EncodeArrays(DataType element, const std::vector<Json>& values, pb::ArrayArray* to) {
  to->set_element_type(static_cast<pb::DataType>(element));
  for (const Json& value : values) {
    const std::vector<Json> items(value.begin(), value.end());
    EncodeScalars(TravelType(element, items), items, to->add_data());
  }
}

std::vector<Json> Parsed(const pb::JSONArray& texts) {
  std::vector<Json> values;
  for (const std::string& text : texts.data()) {
    values.push_back(text.empty() ? Json() : Json::parse(text, nullptr, false));
  }
  return values;
}

template <class Values>
std::vector<Json> AsJson(const Values& values) {
  return {values.begin(), values.end()};
}

std::vector<Json> DecodeScalars(const pb::ScalarField& scalars) {
  switch (scalars.data_case()) {
    case pb::ScalarField::kBoolData:
      return AsJson(scalars.bool_data().data());
    case pb::ScalarField::kIntData:
      return AsJson(scalars.int_data().data());
    case pb::ScalarField::kLongData:
      return AsJson(scalars.long_data().data());
    case pb::ScalarField::kFloatData:
      return AsJson(scalars.float_data().data());
    case pb::ScalarField::kDoubleData:
      return AsJson(scalars.double_data().data());
    case pb::ScalarField::kStringData:
      return AsJson(scalars.string_data().data());
    case pb::ScalarField::kGeometryWktData:
      return AsJson(scalars.geometry_wkt_data().data());
    case pb::ScalarField::kJsonData:
      return Parsed(scalars.json_data());
    case pb::ScalarField::kArrayData: {
      std::vector<Json> values;
      for (const pb::ScalarField& row : scalars.array_data().data()) {
        values.push_back(Json(DecodeScalars(row)));
      }
      return values;
    }
    default:
      return {};
  }
}

}  // namespace

void EncodeColumn(const model::FieldSchema& field, const std::vector<Json>& values,
                  pb::FieldData* to) {
  to->set_field_name(field.name);
  to->set_type(static_cast<pb::DataType>(field.type));
  const bool nulls =
      std::any_of(values.begin(), values.end(), [](const Json& value) { return value.is_null(); });
  std::vector<Json> present;
  for (const Json& value : values) {
    if (nulls) to->add_valid_data(!value.is_null());
    if (!value.is_null()) present.push_back(value);
  }
  const DataType type = TravelType(field.type, present);
  if (model::IsVector(type))
    EncodeVectors(type, present, to->mutable_vectors());
  else if (type == DataType::kArray)
    EncodeArrays(field.element_type, present, to->mutable_scalars()->mutable_array_data());
  else
    EncodeScalars(type, present, to->mutable_scalars());
}

void EncodeDynamic(const std::vector<Json>& objects, pb::FieldData* to) {
  to->set_type(pb::DataType::JSON);
  to->set_field_name(std::string(model::kDynamicFieldName));
  to->set_is_dynamic(true);
  for (const Json& object : objects) {
    to->mutable_scalars()->mutable_json_data()->add_data(object.dump());
  }
}

void EncodeSchema(const model::CollectionSchema& schema, pb::CollectionSchema* to) {
  to->set_name(schema.name);
  to->set_enable_dynamic_field(schema.enable_dynamic_field);
  for (const model::FieldSchema& field : schema.fields) {
    pb::FieldSchema* encoded = to->add_fields();
    encoded->set_name(field.name);
    encoded->set_data_type(static_cast<pb::DataType>(field.type));
    encoded->set_element_type(static_cast<pb::DataType>(field.element_type));
    encoded->set_is_primary_key(field.is_primary_key);
    encoded->set_autoid(field.auto_id);
    encoded->set_nullable(field.nullable);
    for (const model::KeyValue& kv : field.type_params) {
      auto* pair = encoded->add_type_params();
      pair->set_key(kv.key);
      pair->set_value(kv.value);
    }
    if (!field.default_value) continue;
    const model::Scalar& value = *field.default_value;
    pb::ValueField* to_default = encoded->mutable_default_value();
    if (value.is_bool())
      to_default->set_bool_data(value.as_bool());
    else if (value.is_string())
      to_default->set_string_data(value.as_string());
    else if (value.is_int() && field.type == DataType::kInt64)
      to_default->set_long_data(value.as_int());
    else if (value.is_int())
      to_default->set_int_data(static_cast<int32_t>(value.as_int()));
    else if (field.type == DataType::kFloat)
      to_default->set_float_data(static_cast<float>(value.as_double()));
    else
      to_default->set_double_data(value.as_double());
  }
}

void EncodeTemplate(const Json& value, pb::TemplateValue* to) {
  if (value.is_boolean())
    to->set_bool_val(value);
  else if (value.is_number_integer())
    to->set_int64_val(value);
  else if (value.is_number())
    to->set_float_val(value);
  else if (value.is_string())
    to->set_string_val(value);
  if (!value.is_array()) return;
  pb::TemplateArrayValue* list = to->mutable_array_val();
  const auto all = [&](auto is) { return std::all_of(value.begin(), value.end(), is); };
  if (all([](const Json& v) { return v.is_number_integer(); })) {
    for (const Json& v : value) list->mutable_long_data()->add_data(v);
  } else if (all([](const Json& v) { return v.is_string(); })) {
    for (const Json& v : value) list->mutable_string_data()->add_data(v.get<std::string>());
  } else {
    for (const Json& v : value) list->mutable_json_data()->add_data(v.dump());
  }
}

namespace {

std::vector<Json> DecodeColumn(const pb::FieldData& field) {
  if (field.has_vectors()) {
    std::vector<Json> values = DecodeVectors(field.vectors());
    // Null rows have no vector.
    for (int i = 0; i < field.valid_data_size(); ++i) {
      const auto at = std::min(static_cast<size_t>(i), values.size());
      if (!field.valid_data(i)) values.insert(values.begin() + static_cast<ptrdiff_t>(at), Json());
    }
    return values;
  }
  std::vector<Json> values = DecodeScalars(field.scalars());
  for (int i = 0; i < field.valid_data_size() && static_cast<size_t>(i) < values.size(); ++i) {
    if (!field.valid_data(i)) values[static_cast<size_t>(i)] = Json();
  }
  return values;
}

}  // namespace

size_t RowsOf(const pb::FieldData& column) { return DecodeColumn(column).size(); }

bool AddColumns(const google::protobuf::RepeatedPtrField<pb::FieldData>& columns,
                std::vector<Json>& rows) {
  for (const pb::FieldData& column : columns) {
    std::vector<Json> values = DecodeColumn(column);
    if (values.size() != rows.size()) return false;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!column.is_dynamic())
        rows[i][column.field_name()] = std::move(values[i]);
      else if (values[i].is_object())
        rows[i].update(values[i]);
      else
        return false;
    }
  }
  return true;
}

std::vector<Json> DecodeIds(const pb::IDs& ids) {
  return ids.has_str_id() ? AsJson(ids.str_id().data()) : AsJson(ids.int_id().data());
}

bool AboutEqual(const Json& left, const Json& right) {
  if (left.is_number() && right.is_number() &&
      (left.is_number_float() || right.is_number_float())) {
    const double l = left.get<double>();
    const double r = right.get<double>();
    return std::abs(l - r) <= 1e-5 * std::max({1.0, std::abs(l), std::abs(r)});
  }
  if (left.type() != right.type() || !left.is_structured()) return left == right;
  if (left.size() != right.size()) return false;
  if (left.is_array()) return std::equal(left.begin(), left.end(), right.begin(), AboutEqual);
  for (const auto& [key, value] : left.items()) {
    if (!right.contains(key) || !AboutEqual(value, right[key])) return false;
  }
  return true;
}

}  // namespace elanus::cases
