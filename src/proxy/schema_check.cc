// What a new collection's schema may be.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "model/timestamptz.h"
#include "proxy/checks.h"

namespace elanus::proxy {
namespace {

using model::DataType;
using model::FieldSchema;

constexpr ErrorCode kVectorClusteringKey{107};

class SchemaCheck {
 public:
  SchemaCheck(const ProxyOptions& options, const model::CollectionSchema& schema)
      : options_(options), schema_(schema) {}

  Status Run() const {
    const size_t fields = schema_.fields.size() + schema_.structs.size();
    if (fields > static_cast<size_t>(options_.fields_max)) {
      return Invalid("maximum field's number should be limited to {}, got {}", options_.fields_max,
                     fields);
    }
    const auto vectors =
        std::count_if(schema_.fields.begin(), schema_.fields.end(),
                      [](const FieldSchema& field) { return model::IsVector(field.type); });
    if (vectors > options_.vector_fields_max) {
      return Invalid("maximum vector field's number should be limited to {}, got {}",
                     options_.vector_fields_max, vectors);
    }
    if (vectors == 0) return Invalid("schema does not contain vector field: {}", schema_.name);
    TRY(CheckName(options_, "collection name", schema_.name));
    if (schema_.description.size() > static_cast<size_t>(options_.description_bytes_max)) {
      return Invalid("the description may have {} bytes, got {}", options_.description_bytes_max,
                     schema_.description.size());
    }
    for (const FieldSchema& field : schema_.fields) TRY(SystemName(field.bare_name()));
    for (const model::StructSchema& known : schema_.structs) TRY(SystemName(known.name));
    for (const FieldSchema& field : schema_.fields) {
      if (field.is_sub_field()) TRY(SubFieldKeys(field));
    }
    TRY(PrimaryKey());
    for (const FieldSchema& field : schema_.fields) {
      if (field.is_dynamic)
        return Invalid("cannot explicitly set a field as a dynamic field: {}", field.name);
      if (field.auto_id && !field.is_primary_key) {
        return Invalid("only primary field can speficy AutoID with true, field name = {}",
                       field.name);
      }
    }
    for (const FieldSchema& field : schema_.fields) {
      TRY(field.is_sub_field() ? SubFieldType(field) : Built(field));
    }
    for (const FieldSchema& field : schema_.fields) TRY(Field(field));
    TRY(LoadedVector());
    for (const model::StructSchema& known : schema_.structs) TRY(Struct(known));
    std::set<std::string_view> names;
    for (const model::StructSchema& known : schema_.structs) {
      if (!names.insert(known.name).second) return Invalid("duplicated field name: {}", known.name);
    }
    for (const FieldSchema& field : schema_.fields) {
      if (!names.insert(field.name).second) return Invalid("duplicated field name: {}", field.name);
    }
    return {};
  }

 private:
  static Status SystemName(std::string_view name) {
    if (name != "RowID" && name != "Timestamp" && name != "__virtual_pk__") return {};
    return Error(ErrorCode::kInvalidFieldName, "{}[field={}]: the name is reserved",
                 InfoOf(ErrorCode::kInvalidFieldName).name, name);
  }

  // What only a field of its own can be.
  static Status SubFieldKeys(const FieldSchema& field) {
    const auto refuse = [&](std::string_view what) {
      return Invalid("sub-field {} of struct {} cannot be {}", field.bare_name(), field.struct_name,
                     what);
    };
    if (field.is_primary_key) return refuse("a primary key");
    if (field.auto_id) return refuse("filled by autoID");
    if (field.is_dynamic) return refuse("a dynamic field");
    if (field.default_value) return refuse("given a default value");
    if (field.is_partition_key || field.is_clustering_key) {
      return Error(ErrorCode::kIllegalSchema, "{}[field={}]: a sub-field of a struct is no {} key",
                   InfoOf(ErrorCode::kIllegalSchema).name, field.name,
                   field.is_partition_key ? "partition" : "clustering");
    }
    return {};
  }

  static Status SubFieldType(const FieldSchema& field) {
    if (field.type == DataType::kArray) return {};
    if (field.type != DataType::kArrayOfVector) {
      return Invalid("sub-field {} of struct {} must be an array or an array of vectors, got {}",
                     field.bare_name(), field.struct_name, NameOf(field.type));
    }
    if (WidthOf(field.element_type, 8) != 0 && model::IsVector(field.element_type)) return {};
    return Invalid("element type {} is not supported, field: {}", NameOf(field.element_type),
                   field.name);
  }

  Status Struct(const model::StructSchema& known) const {
    TRY(CheckFieldName(options_, known.name));
    const FieldSchema* first = nullptr;
    for (const FieldSchema& field : schema_.fields) {
      if (field.struct_name != known.name) continue;
      if (first == nullptr) first = &field;
      if (field.max_capacity() != first->max_capacity()) {
        return Invalid(
            "sub-fields of struct {} must have one max_capacity, {} has {} and {} has {}",
            known.name, first->bare_name(), first->max_capacity(), field.bare_name(),
            field.max_capacity());
      }
      if (field.nullable && !known.nullable) {
        return Invalid("sub-field {} cannot be nullable, struct {} is not", field.bare_name(),
                       known.name);
      }
    }
    if (first != nullptr) return {};
    return Invalid("struct field {} has no sub-fields", known.name);
  }

  Status PrimaryKey() const {
    const FieldSchema* key = nullptr;
    for (const FieldSchema& field : schema_.fields) {
      if (!field.is_primary_key) continue;
      if (key != nullptr) {
        return Invalid("there are more than one primary key, field name = {}, {}", key->name,
                       field.name);
      }
      key = &field;
    }
    if (key == nullptr) return Error(ErrorCode::kMissingParameter, "primary key is not specified");
    if (key->type != DataType::kInt64 && key->type != DataType::kVarChar) {
      return Invalid("the data type of primary key should be Int64 or VarChar, got {}",
                     NameOf(key->type));
    }
    if (key->nullable) return Invalid("primary field not support null: {}", key->name);
    if (key->default_value)
      return Invalid("primary field not support default_value: {}", key->name);
    return {};
  }

  // What a vector can never be the key of.
  static Status VectorKey(const FieldSchema& field) {
    if (!model::IsVector(field.type)) return {};
    if (field.is_partition_key) {
      return Invalid("the data type of partition key should be Int64 or VarChar, got {}: {}",
                     NameOf(field.type), field.name);
    }
    return {};
  }

  // What rows can be spread by.
  Status PartitionKey(const FieldSchema& field) const {
    if (!field.is_partition_key) return {};
    for (const FieldSchema& other : schema_.fields) {
      if (other.is_partition_key && &other != &field) {
        return Invalid("there are more than one partition key, field name = {}, {}", field.name,
                       other.name);
      }
    }
    if (field.is_primary_key) {
      return Invalid("the partition key field must not be primary field: {}", field.name);
    }
    if (field.nullable) return Invalid("partition key field not support nullable: {}", field.name);
    if (field.type == DataType::kInt64 || field.type == DataType::kVarChar) return {};
    return Invalid("the data type of partition key should be Int64 or VarChar, got {}: {}",
                   NameOf(field.type), field.name);
  }

  // What rows can be put in the order of.
  Status ClusteringKey(const FieldSchema& field) const {
    if (!field.is_clustering_key) return {};
    for (const FieldSchema& other : schema_.fields) {
      if (other.is_clustering_key && &other != &field) {
        return Error(ErrorCode::kIllegalSchema,
                     "{}[field={}]: there are more than one clustering key, {} is another",
                     InfoOf(ErrorCode::kIllegalSchema).name, field.name, other.name);
      }
    }
    switch (field.type) {
      case DataType::kInt8:
      case DataType::kInt16:
      case DataType::kInt32:
      case DataType::kInt64:
      case DataType::kFloat:
      case DataType::kDouble:
      case DataType::kVarChar:
        return {};
      default:
        break;
    }
    if (field.type == DataType::kFloatVector) {
      return Error(kVectorClusteringKey, "{}[field={}]", InfoOf(kVectorClusteringKey).name,
                   field.name);
    }
    return Error(ErrorCode::kIllegalSchema,
                 "{}[field={}]: a clustering key of type {} is not supported",
                 InfoOf(ErrorCode::kIllegalSchema).name, field.name, NameOf(field.type));
  }

  Status Built(const FieldSchema& field) const {
    TRY(VectorKey(field));
    TRY(ClusteringKey(field));
    TRY(PartitionKey(field));
    switch (field.type) {
      case DataType::kBool:
      case DataType::kInt8:
      case DataType::kInt16:
      case DataType::kInt32:
      case DataType::kInt64:
      case DataType::kFloat:
      case DataType::kDouble:
      case DataType::kVarChar:
      case DataType::kText:
      case DataType::kTimestamptz:
      case DataType::kGeometry:
      case DataType::kJson:
      case DataType::kArray:
      case DataType::kFloatVector:
      case DataType::kBinaryVector:
      case DataType::kFloat16Vector:
      case DataType::kBFloat16Vector:
      case DataType::kSparseFloatVector:
      case DataType::kInt8Vector:
        return {};
      case DataType::kArrayOfVector:
        return Invalid("type {} is found in struct fields only, field: {}", NameOf(field.type),
                       field.name);
      case DataType::kString:
        return Invalid("string data type not supported yet, please use VarChar type instead: {}",
                       field.name);
      default:
        return Invalid("data type {} is not supported, field: {}", static_cast<int>(field.type),
                       field.name);
    }
  }

  Status Parameter(const FieldSchema& field, const char* key, int64_t min, int64_t max,
                   ErrorCode missing) const {
    const std::string* text = model::Find(field.type_params, key);
    if (text == nullptr) {
      return Error(missing, "type param({}) should be specified for the field({})", key,
                   field.name);
    }
    int64_t value = 0;
    const auto parsed = std::from_chars(text->data(), text->data() + text->size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) {
      return Error(ErrorCode::kUnexpected, "the {} of field {} is not an integer: {}", key,
                   field.name, *text);
    }
    if (value < min || value > max) {
      return Invalid("invalid {}: {} of field {}: should be in range {} ~ {}", key, value,
                     field.name, min, max);
    }
    return {};
  }

  Status Dim(const FieldSchema& field) const {
    if (field.vector_type() == DataType::kSparseFloatVector) {
      if (model::Find(field.type_params, "dim") == nullptr) return {};
      return Invalid("dim should not be specified for sparse vector field {}", field.name);
    }
    if (field.vector_type() != DataType::kBinaryVector) {
      return Parameter(field, "dim", 2, options_.dim_max, ErrorCode::kInvalidParameter);
    }
    TRY(Parameter(field, "dim", 8, 8 * options_.dim_max, ErrorCode::kInvalidParameter));
    if (field.dim() % 8 == 0) return {};
    return Invalid("invalid dim: {} of field {}: should be a multiple of 8", field.dim(),
                   field.name);
  }

  // Of fields that are checked one by one already.
  Status LoadedVector() const {
    for (const FieldSchema& field : schema_.fields) {
      if (field.vector_type() == DataType::kNone) continue;
      const std::string* skips = model::Find(field.type_params, kSkipLoadKey);
      if (skips == nullptr) return {};
      TRY_ASSIGN(const bool is_skipped, ParseBool(kSkipLoadKey, *skips));
      if (!is_skipped) return {};
    }
    return Invalid("not all vector fields can be left out when the collection is loaded: {}",
                   schema_.name);
  }

  static Status TypeParams(const FieldSchema& field) {
    std::set<std::string_view> keys;
    for (const model::KeyValue& param : field.type_params) {
      if (!keys.insert(param.key).second) {
        return Invalid("duplicated type param key {} of field {}", param.key, field.name);
      }
    }
    if (const std::string* maps = model::Find(field.type_params, "mmap.enabled")) {
      TRY(ParseBool("mmap.enabled", *maps).status());
    }
    if (const std::string* skips = model::Find(field.type_params, kSkipLoadKey)) {
      TRY_ASSIGN(const bool is_skipped, ParseBool(kSkipLoadKey, *skips));
      const char* what = field.is_primary_key      ? "primary key"
                         : field.is_partition_key  ? "partition key"
                         : field.is_clustering_key ? "clustering key"
                                                   : nullptr;
      if (is_skipped && what != nullptr) {
        return Invalid("the {} field {} cannot be left out when the collection is loaded", what,
                       field.name);
      }
    }
    const std::string* warm_up = model::Find(field.type_params, "warmup");
    if (warm_up == nullptr || *warm_up == "disable" || *warm_up == "sync" || *warm_up == "async") {
      return {};
    }
    return Invalid("warmup of field {} should be one of disable, sync, async, got {}", field.name,
                   *warm_up);
  }

  Status Field(const FieldSchema& field) const {
    TRY(CheckFieldName(options_, field.bare_name()));
    TRY(TypeParams(field));
    if (model::IsVector(field.type)) TRY(Dim(field));
    const bool has_text =
        field.type == DataType::kVarChar ||
        (field.type == DataType::kArray && field.element_type == DataType::kVarChar);
    if (has_text) {
      TRY(Parameter(field, "max_length", 1, options_.varchar_bytes_max,
                    ErrorCode::kMissingParameter));
    }
    if (field.type == DataType::kText && model::Find(field.type_params, "max_length") != nullptr) {
      TRY(Parameter(field, "max_length", 1, options_.text_bytes_max, ErrorCode::kMissingParameter));
    }
    if (field.type == DataType::kArrayOfVector) {
      TRY(Parameter(field, "max_capacity", 1, options_.array_capacity_max,
                    ErrorCode::kMissingParameter));
    }
    if (field.type == DataType::kArray) {
      const DataType element = field.element_type;
      const bool good = element == DataType::kBool || model::IsInteger(element) ||
                        model::IsFloating(element) || element == DataType::kVarChar;
      if (!good) {
        return Invalid("element type {} is not supported, field: {}", NameOf(element), field.name);
      }
      TRY(Parameter(field, "max_capacity", 1, options_.array_capacity_max,
                    ErrorCode::kMissingParameter));
    }
    return field.default_value ? Default(field) : Status();
  }

  Status Default(const FieldSchema& field) const {
    const model::Scalar& value = *field.default_value;
    const auto mismatch = [&] {
      return Invalid("type ({}) of field ({}) is not equal to the type of its default value",
                     NameOf(field.type), field.name);
    };
    const auto in_range = [&](int64_t min, int64_t max) -> Status {
      if (!value.is_int()) return mismatch();
      if (value.as_int() < min || value.as_int() > max) {
        return Invalid("[{} out of range {} <= value <= {}] default value of field {}",
                       value.as_int(), min, max, field.name);
      }
      return {};
    };
    const auto text_within = [&](int64_t bytes_max) -> Status {
      if (!value.is_string()) return mismatch();
      const size_t bytes = value.as_string().size();
      if (static_cast<int64_t>(bytes) <= bytes_max) return {};
      return Invalid("the length ({}) of the default value exceeds max length ({}), field: {}",
                     bytes, bytes_max, field.name);
    };
    switch (field.type) {
      case DataType::kBool:
        return value.is_bool() ? Status() : mismatch();
      case DataType::kInt8:
        return in_range(INT8_MIN, INT8_MAX);
      case DataType::kInt16:
        return in_range(INT16_MIN, INT16_MAX);
      case DataType::kInt32:
        return in_range(INT32_MIN, INT32_MAX);
      case DataType::kInt64:
        return in_range(INT64_MIN, INT64_MAX);
      case DataType::kFloat:
      case DataType::kDouble: {
        if (!value.is_double()) return mismatch();
        // As of rows: no number, infinity and what a float cannot hold are no values.
        const double most = field.type == DataType::kFloat ? std::numeric_limits<float>::max()
                                                           : std::numeric_limits<double>::max();
        if (std::abs(value.number()) <= most) return {};
        return Invalid("the default value ({}) of field {} is not a number that type {} holds",
                       value.number(), field.name, NameOf(field.type));
      }
      case DataType::kVarChar:
        return text_within(field.max_length());
      case DataType::kText:
        return text_within(options_.text_bytes_max);
      case DataType::kGeometry:
        if (!value.is_string()) return mismatch();
        if (value.as_string().size() > static_cast<size_t>(options_.geometry_bytes_max)) {
          return Invalid("the default value takes {} bytes, at most {} are allowed, field: {}",
                         value.as_string().size(), options_.geometry_bytes_max, field.name);
        }
        return {};
      case DataType::kTimestamptz:
        // A text is read as a moment once the schema is known to be good.
        if (value.is_string()) return {};
        if (!value.is_int()) return mismatch();
        if (model::IsInFourDigitYear(value.as_int())) return {};
        return Invalid("the default value of field {} is not within the years 0000 to 9999",
                       field.name);
      default:
        return Invalid("type {} not support default_value, field: {}", NameOf(field.type),
                       field.name);
    }
  }

  const ProxyOptions& options_;
  const model::CollectionSchema& schema_;
};

}  // namespace

Status CheckSchema(const ProxyOptions& options, const model::CollectionSchema& schema) {
  return SchemaCheck(options, schema).Run();
}

}  // namespace elanus::proxy
