// Checking rows.
#include "proxy/rows.h"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "proxy/checks.h"
#include "proxy/functions.h"
#include "proxy/json_text.h"
#include "proxy/moments.h"
#include "proxy/vector_lists.h"
#include "proxy/vector_values.h"
#include "text/field.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;

constexpr int kDynamicDepthMax = 1000;

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t more = lead >= 0xF0 && lead < 0xF5   ? 3
                        : lead >= 0xE0 && lead < 0xF0 ? 2
                        : lead >= 0xC2 && lead < 0xE0 ? 1
                                                      : 0;
    if (more == 0 || i + more >= text.size()) return false;
    uint32_t code = lead & (0x3F >> more);
    for (size_t j = 1; j <= more; ++j) {
      const auto next = static_cast<unsigned char>(text[i + j]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3F);
    }
    const bool overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    i += more + 1;
  }
  return true;
}

// The type in which the values of a field arrive.
DataType CarriedType(DataType type) {
  if (type == DataType::kInt8 || type == DataType::kInt16) return DataType::kInt32;
  return type == DataType::kText ? DataType::kVarChar : type;
}

// What the check of values knows beside the field.
struct RowRules {
  const ProxyOptions& options;
  const model::CollectionSchema& schema;
  TimeZone zone;                    // Of moments that do not say theirs.
  bool takes_static_names = false;  // As keys of the dynamic field.
};

class RowCheck {
 public:
  explicit RowCheck(const RowRules& rules)
      : options_(rules.options), schema_(rules.schema), rules_(rules) {}

  // The column as the schema has it; its rows are counted.
  Result<Column> Accept(const FieldSchema& field, Column column) const {
    if (column.type == DataType::kNone) {  // Nulls alone.
      TRY(MayHaveNulls(field));
      return FilledRows(field, column.rows);
    }
    if (field.type == DataType::kArrayOfVector) {
      TRY(AcceptVectorLists(field, column));
    } else {
      TRY(ConvertToField(field, column));
      if (field.type == DataType::kTimestamptz) TRY(ReadMoments(field, rules_.zone, column));
      TRY(Shape(field, column));
    }
    column.field_id = field.id;
    column.name = field.name;
    column.is_dynamic = field.is_dynamic;
    TRY(Nulls(field, column));
    switch (field.type) {
      case DataType::kInt8:
        TRY(Narrow<int8_t>(field, column));
        break;
      case DataType::kInt16:
        TRY(Narrow<int16_t>(field, column));
        break;
      case DataType::kFloat:
        TRY(Finite<float>(field, column));
        break;
      case DataType::kDouble:
        TRY(Finite<double>(field, column));
        break;
      case DataType::kVarChar:
      case DataType::kText:
        TRY(Texts(field, column));
        break;
      case DataType::kTimestamptz:
        break;
      case DataType::kGeometry:
        TRY(Geometries(field, column));
        break;
      case DataType::kJson:
        TRY(Json(field, column));
        break;
      case DataType::kArray:
        TRY(Arrays(field, column));
        break;
      case DataType::kArrayOfVector:
        break;
      default:
        TRY(CheckVectorValues(field, column));
        if (model::IsVector(field.type)) SpreadNulls(column);
        break;
    }
    column.type = field.type;
    return column;
  }

 private:
  static Status Mismatch(const FieldSchema& field, DataType got) {
    return Invalid("the data type of field {} does not match: got {}, want {}", field.name,
                   NameOf(got), NameOf(field.type));
  }

  static Status Shape(const FieldSchema& field, const Column& column) {
    if (column.type != CarriedType(field.type)) return Mismatch(field, column.type);
    if (!model::IsVector(field.type)) return {};
    if (column.dim != field.dim()) {
      return Invalid("the dim ({}) of field data({}) is not equal to schema dim ({})", column.dim,
                     field.name, field.dim());
    }
    return {};
  }

  static Status MayHaveNulls(const FieldSchema& field) {
    if (field.nullable || HasDefault(field)) return {};
    return Invalid("field {} is not nullable, but has null rows", field.name);
  }

  // Explicit nulls: refused, or turned into the default.
  static Status Nulls(const FieldSchema& field, Column& column) {
    if (std::find(column.valid.begin(), column.valid.end(), 0) == column.valid.end()) {
      if (!column.valid.empty() && !field.nullable && !HasDefault(field)) {
        return Invalid("the length of valid_data of field({}) is wrong: got {}, want 0", field.name,
                       column.valid.size());
      }
      column.valid.clear();
      return {};
    }
    TRY(MayHaveNulls(field));
    if (HasDefault(field)) {
      Column filled =
          model::MakeColumn(field.id, field.name, column.type, column.element_type, column.dim);
      const Column one = OneDefault(field, column.type);
      for (size_t i = 0; i < column.rows; ++i) {
        if (column.valid[i] != 0)
          filled.AppendRow(column.view(), i);
        else
          filled.AppendRow(one.view(), 0);
      }
      column = std::move(filled);
    }
    return {};
  }

 public:
  // Dynamic keys that are null or left out are no keys.
  static bool HasDefault(const FieldSchema& field) {
    return field.default_value.has_value() || field.is_dynamic;
  }

  // One row of the default, in the type that columns of the request have.
  static Column OneDefault(const FieldSchema& field, DataType type) {
    Column one = model::MakeColumn(field.id, field.name, type, DataType::kNone, 0);
    if (field.is_dynamic) {
      one.AppendBytes("{}");
      return one;
    }
    const model::Scalar& value = *field.default_value;
    if (type == DataType::kBool) {
      const uint8_t v = value.as_bool() ? 1 : 0;
      one.AppendFixed(&v);
    } else if (type == DataType::kInt8) {
      const auto v = static_cast<int8_t>(value.as_int());
      one.AppendFixed(&v);
    } else if (type == DataType::kInt16) {
      const auto v = static_cast<int16_t>(value.as_int());
      one.AppendFixed(&v);
    } else if (type == DataType::kInt32) {
      const auto v = static_cast<int32_t>(value.as_int());
      one.AppendFixed(&v);
    } else if (type == DataType::kInt64 || type == DataType::kTimestamptz) {
      const int64_t v = value.as_int();
      one.AppendFixed(&v);
    } else if (type == DataType::kFloat) {
      const auto v = static_cast<float>(value.number());
      one.AppendFixed(&v);
    } else if (type == DataType::kDouble) {
      const double v = value.number();
      one.AppendFixed(&v);
    } else {
      one.AppendBytes(value.as_string());
    }
    return one;
  }

 private:
  template <class T>
  static Status Narrow(const FieldSchema& field, Column& column) {
    std::vector<uint8_t> narrow(column.rows * sizeof(T));
    for (size_t i = 0; i < column.rows; ++i) {
      int32_t value;
      std::memcpy(&value, column.data.data() + i * 4, 4);
      const T small = static_cast<T>(value);
      if (small != value) {
        return Invalid("the {}th element ({}) of field {} out of range {} <= value <= {}", i, value,
                       field.name, int64_t{std::numeric_limits<T>::min()},
                       int64_t{std::numeric_limits<T>::max()});
      }
      std::memcpy(narrow.data() + i * sizeof(T), &small, sizeof(T));
    }
    column.data = std::move(narrow);
    return {};
  }

  template <class T>
  static Status Finite(const FieldSchema& field, const Column& column) {
    const auto* values = reinterpret_cast<const T*>(column.data.data());
    if (AllFinite(values, column.data.size() / sizeof(T))) return {};
    return Invalid("value of field {} is not a number or infinity", field.name);
  }

  Status Texts(const FieldSchema& field, const Column& column) const {
    const model::ColumnView view = column.view();
    const bool is_text = field.type == DataType::kText;
    const bool limited = !(field.is_primary_key && field.auto_id);
    const auto limit =
        is_text ? static_cast<size_t>(options_.text_bytes_max) : size_t{field.max_length()};
    const bool is_utf8 = !is_text || text::HasAnalyzer(field);
    for (size_t i = 0; i < column.rows; ++i) {
      const std::string_view text = view.Bytes(i);
      if (limited && text.size() > limit) {
        return Invalid(
            "length of {} field {} exceeds max length, row number: {}, length: {}, max "
            "length: {}",
            is_text ? "text" : "varchar", field.name, i, text.size(), limit);
      }
      if (is_utf8 && !IsUtf8(text))
        return Invalid("field {} has a row that is not valid UTF-8, row number: {}", field.name, i);
    }
    return {};
  }

  Status Geometries(const FieldSchema& field, const Column& column) const {
    const model::ColumnView view = column.view();
    for (size_t i = 0; i < column.rows; ++i) {
      if (view.Bytes(i).size() <= static_cast<size_t>(options_.geometry_bytes_max)) continue;
      return Invalid(
          "a geometry of field {} takes {} bytes, at most {} are allowed, row number: {}",
          field.name, view.Bytes(i).size(), options_.geometry_bytes_max, i);
    }
    return {};
  }

  Status Json(const FieldSchema& field, const Column& column) const {
    const model::ColumnView view = column.view();
    for (size_t i = 0; i < column.rows; ++i) {
      if (!view.IsValid(i)) continue;
      const std::string_view text = view.Bytes(i);
      if (text.size() > static_cast<size_t>(options_.json_bytes_max)) {
        return Invalid("the length ({}) of json field ({}) exceeds max length ({})", text.size(),
                       field.name, options_.json_bytes_max);
      }
      // Only keys of the dynamic field have a meaning here; what else is stored is the client's.
      if (field.is_dynamic) TRY(DynamicRow(text));
    }
    return {};
  }

  Status DynamicRow(std::string_view text) const {
    TRY_ASSIGN(const nlohmann::json json, ParseJson("the dynamic field", text, kDynamicDepthMax));
    if (!json.is_object()) return Invalid("the dynamic field must be a JSON object");
    for (const auto& [key, value] : json.items()) {
      if (key == model::kDynamicFieldName) return Invalid("cannot set key to {}", key);
      const bool is_static =
          schema_.FindField(key) != nullptr || schema_.FindStruct(key) != nullptr;
      if (is_static && !rules_.takes_static_names) {
        return Invalid("dynamic field cannot include the static field name: {}", key);
      }
    }
    return {};
  }

  Status Arrays(const FieldSchema& field, Column& column) const {
    const DataType wanted = field.element_type;
    const bool narrow = wanted == DataType::kInt8 || wanted == DataType::kInt16;
    const DataType carried = CarriedType(wanted);
    const model::ColumnView view = column.view();
    Column checked = model::MakeColumn(field.id, field.name, DataType::kArray, wanted, 0);
    for (size_t i = 0; i < column.rows; ++i) {
      if (!view.IsValid(i)) {
        checked.AppendNull();
        continue;
      }
      const std::string_view row = view.Bytes(i);
      if (!row.empty() && column.element_type != carried) {
        return Invalid("element type of array field {} does not match: got {}, want {}", field.name,
                       NameOf(column.element_type), NameOf(wanted));
      }
      const size_t size = row.empty() ? 0 : model::ArraySize(carried, row);
      if (size > field.max_capacity()) {
        return Invalid(
            "the length ({}) of array field {} exceeds max capacity ({}), row number: {}", size,
            field.name, field.max_capacity(), i);
      }
      if (wanted == DataType::kVarChar) {
        for (std::string_view text : model::ArrayTexts(row)) {
          if (text.size() > field.max_length() || !IsUtf8(text)) {
            return Invalid(
                "an element of array field {} is longer than {} bytes or not UTF-8, row number: {}",
                field.name, field.max_length(), i);
          }
        }
      }
      if (!narrow) {
        checked.AppendBytes(row);
        continue;
      }
      std::string packed;
      for (size_t e = 0; e < size; ++e) {
        int32_t value;
        std::memcpy(&value, row.data() + e * 4, 4);
        const bool fits = wanted == DataType::kInt8 ? value == static_cast<int8_t>(value)
                                                    : value == static_cast<int16_t>(value);
        if (!fits)
          return Invalid("an element ({}) of array field {} is out of range, row number: {}", value,
                         field.name, i);
        packed.append(reinterpret_cast<const char*>(&value), wanted == DataType::kInt8 ? 1 : 2);
      }
      checked.AppendBytes(packed);
    }
    column = std::move(checked);
    return {};
  }

  const ProxyOptions& options_;
  const model::CollectionSchema& schema_;
  const RowRules& rules_;
};

bool MayBeLeftOut(const FieldSchema& field) {
  return (field.is_primary_key && field.auto_id) || RowCheck::HasDefault(field) || field.nullable;
}

// Whether the request has a sub-field of the struct.
bool AnyOfStruct(const model::CollectionSchema& schema, std::string_view struct_name,
                 const std::map<std::string, Column, std::less<>>& given) {
  return std::any_of(schema.fields.begin(), schema.fields.end(), [&](const FieldSchema& field) {
    return field.struct_name == struct_name && given.count(field.name) > 0;
  });
}

// A row that is null or left out costs the client a byte, and the server the width of its vector or
// the length of its default.
Status CheckFilled(const ProxyOptions& options, const model::CollectionSchema& schema,
                   const std::map<std::string, Column, std::less<>>& given, uint64_t rows) {
  uint64_t bytes = 0;
  for (const FieldSchema& field : schema.fields) {
    const auto found = given.find(field.name);
    if (field.is_function_output && found == given.end()) continue;  // Made, not filled.
    const bool has_nulls = found == given.end() || !found->second.valid.empty();
    if (!has_nulls) continue;
    const bool has_text = field.default_value && field.default_value->is_string();
    bytes += rows * (has_text ? field.default_value->as_string().size()
                              : model::WidthOf(field.type, field.dim()));
  }
  if (bytes <= static_cast<uint64_t>(options.filled_bytes_max)) return {};
  return Error(ErrorCode::kParameterTooLarge,
               "nulls and defaults of {} rows fill {} bytes, at most {} are allowed", rows, bytes,
               options.filled_bytes_max);
}

Result<Column> GenerateKeys(Context& ctx, Services& services, const FieldSchema& field,
                            uint64_t rows) {
  TRY_ASSIGN(const int64_t first,
             services.coord.oracle.AllocateIds(ctx, static_cast<int64_t>(rows)));
  Column keys = model::MakeColumn(field.id, field.name, field.type, DataType::kNone, 0);
  for (uint64_t i = 0; i < rows; ++i) {
    const int64_t id = first + static_cast<int64_t>(i);
    if (field.type == DataType::kInt64)
      keys.AppendFixed(&id);
    else
      keys.AppendBytes(std::to_string(id));
  }
  return keys;
}

// Of a struct that is named, but has nothing.
bool IsLeftOut(const Column& column) { return column.type == DataType::kNone && column.rows == 0; }

Status CheckGiven(const model::CollectionInfo& collection,
                  const std::map<std::string, Column, std::less<>>& given, uint64_t rows) {
  const model::CollectionSchema& schema = collection.schema;
  for (const auto& [name, column] : given) {
    TRY(CheckMayBeGiven(collection, *schema.FindField(name)));
    if (column.rows != rows && !IsLeftOut(column)) {
      return Invalid("the num_rows ({}) of field ({}) is not equal to passed num_rows ({})",
                     column.rows, name, rows);
    }
  }
  for (const FieldSchema& field : schema.fields) {
    if (given.count(field.name) == 0 && field.is_sub_field() &&
        AnyOfStruct(schema, field.struct_name, given)) {
      return Invalid("struct field {} comes without its sub-field {}", field.struct_name,
                     field.bare_name());
    }
  }
  return {};
}

bool RemovesElements(const model::WriteRequest& request, std::string_view name) {
  return std::any_of(request.field_ops.begin(), request.field_ops.end(), [&](const auto& op) {
    return op.field == name && op.kind == model::FieldOp::Kind::kArrayRemove;
  });
}

// Keys that the server makes are not for the client to send with an insert.
Status CheckAutoKey(const model::CollectionInfo& collection, const GivenRows& given) {
  const FieldSchema& key = collection.schema.primary_key();
  if (!key.auto_id || given.columns.count(key.name) == 0) return {};
  constexpr const char* kAllowKey = "allow_insert_auto_id";
  if (const std::string* wish = model::Find(collection.properties, kAllowKey)) {
    TRY_ASSIGN(const bool is_allowed, ParseBool(kAllowKey, *wish));
    if (is_allowed) return {};
  }
  return Invalid("no need to pass primary key data of an autoID field: {}", key.name);
}

}  // namespace

const FieldSchema* FindMissing(const model::CollectionSchema& schema, const GivenRows& given) {
  for (const FieldSchema& field : schema.fields) {
    const bool is_there = given.columns.count(field.name) > 0;
    if (!is_there && !field.is_function_output && !MayBeLeftOut(field)) return &field;
  }
  return nullptr;
}

Column FilledRows(const FieldSchema& field, uint64_t rows) {
  Column column =
      model::MakeColumn(field.id, field.name, field.type, field.element_type, field.dim());
  column.is_dynamic = field.is_dynamic;
  if (RowCheck::HasDefault(field)) {
    const Column one = RowCheck::OneDefault(field, field.type);
    while (column.rows < rows) column.AppendRow(one.view(), 0);
  } else {
    while (column.rows < rows) column.AppendNull();
  }
  return column;
}

Result<GivenRows> AcceptRows(const Services& services, const model::CollectionInfo& collection,
                             model::WriteRequest request) {
  const model::CollectionSchema& schema = collection.schema;
  if (request.num_rows == 0) return Invalid("num_rows should be greater than 0");
  GivenRows given{.rows = request.num_rows};
  for (Column& column : request.columns) {
    std::string name = column.is_dynamic ? std::string(model::kDynamicFieldName) : column.name;
    const FieldSchema* field = schema.FindField(name);
    if (field == nullptr) {
      if (column.is_dynamic || name == model::kDynamicFieldName) {
        return Invalid("without dynamic schema enabled, the field name cannot be set to {}",
                       model::kDynamicFieldName);
      }
      return Invalid("the field {} is not in the collection {}", name, schema.name);
    }
    if (!given.columns.emplace(std::move(name), std::move(column)).second) {
      return Invalid("duplicated field data: {}", field->name);
    }
  }
  // All columns are counted before any is made: num_rows is only a number that somebody sent.
  TRY(CheckGiven(collection, given.columns, given.rows));
  std::erase_if(given.columns, [](const auto& named) { return IsLeftOut(named.second); });
  if (!request.partial_update) {
    if (const FieldSchema* missing = FindMissing(schema, given)) {
      return Invalid("fieldSchema({}) has no corresponding fieldData pass in", missing->name);
    }
  }
  TRY(CheckFilled(services.options, schema, given.columns, given.rows));
  if (!request.upsert) TRY(CheckAutoKey(collection, given));
  RowRules rules{.options = services.options, .schema = schema};
  TRY_ASSIGN(rules.zone, ZoneOf(collection.properties));
  rules.takes_static_names = request.partial_update;
  const RowCheck check(rules);
  for (auto& [name, column] : given.columns) {
    FieldSchema field = *schema.FindField(name);
    // A list of elements to take away may be longer than what they are taken from.
    if (RemovesElements(request, name)) model::Put(field.type_params, "max_capacity", "4294967295");
    TRY_ASSIGN(column, check.Accept(field, std::move(column)));
  }
  return given;
}

Result<std::vector<Column>> FinishRows(Context& ctx, Services& services,
                                       const model::CollectionInfo& collection, GivenRows given,
                                       bool is_upsert) {
  const model::CollectionSchema& schema = collection.schema;
  std::vector<Column> columns;
  for (const FieldSchema& field : schema.fields) {
    const auto found = given.columns.find(field.name);
    const bool is_given = found != given.columns.end();
    if (field.is_function_output && !is_given) continue;  // Made of the others below.
    if (field.is_primary_key && field.auto_id && (is_upsert || !is_given)) {
      TRY_ASSIGN(Column keys, GenerateKeys(ctx, services, field, given.rows));
      columns.push_back(std::move(keys));
      continue;
    }
    columns.push_back(is_given ? std::move(found->second) : FilledRows(field, given.rows));
  }
  TRY(CheckStructs(schema, columns));
  TRY(RunFunctions(ctx, services, schema, columns));
  return columns;
}

}  // namespace elanus::proxy
