// Columns between the wire and the model.
#include "wire/grpc/column_codec.h"

#include <algorithm>

#include "geometry/text.h"
#include "schema.pb.h"
#include "wire/grpc/null_mask.h"
#include "wire/grpc/vector_codec.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
using model::Column;
using model::DataType;

// Whether each logical row is valid; empty: all of `values` rows are.
std::vector<uint8_t> ValidOf(const pb::FieldData& field) {
  const auto& bits = MaskOf(field);
  return {bits.begin(), bits.end()};
}

// Appends `values` of fixed width T, spread over the valid rows.
template <class T, class Values>
void AppendFixed(Column& column, const std::vector<uint8_t>& valid, const Values& values) {
  if (valid.empty()) {
    column.data.resize(static_cast<size_t>(values.size()) * sizeof(T));
    if constexpr (std::is_same_v<T, typename Values::value_type> && !std::is_same_v<T, bool>) {
      if (!values.empty()) std::memcpy(column.data.data(), values.data(), column.data.size());
    } else {
      for (int i = 0; i < values.size(); ++i) {
        const T value = static_cast<T>(values[i]);
        std::memcpy(column.data.data() + static_cast<size_t>(i) * sizeof(T), &value, sizeof(T));
      }
    }
    column.rows = static_cast<uint64_t>(values.size());
    return;
  }
  int next = 0;
  for (uint8_t v : valid) {
    if (v == 0) {
      column.AppendNull();
      continue;
    }
    const T value = static_cast<T>(values[next++]);
    column.AppendFixed(&value);
  }
}

template <class Values>
void AppendTexts(Column& column, const std::vector<uint8_t>& valid, const Values& values) {
  const size_t rows = valid.empty() ? static_cast<size_t>(values.size()) : valid.size();
  int next = 0;
  for (size_t i = 0; i < rows; ++i) {
    if (!valid.empty() && valid[i] == 0)
      column.AppendNull();
    else
      column.AppendBytes(values[next++]);
  }
}

// Texts of geometries; columns hold them in binary.
Status AppendGeometries(const pb::FieldData& field, const std::vector<uint8_t>& valid,
                        Column& column) {
  const auto& texts = field.scalars().geometry_wkt_data().data();
  const size_t rows = valid.empty() ? static_cast<size_t>(texts.size()) : valid.size();
  int next = 0;
  for (size_t i = 0; i < rows; ++i) {
    if (!valid.empty() && valid[i] == 0) {
      column.AppendNull();
      continue;
    }
    const Result<std::string> wkb = geometry::ReadWkt(texts[next++]);
    if (!wkb.ok()) {
      return Invalid("field {} has a row that is no geometry, row number: {}: {}",
                     field.field_name(), i, wkb.status().message());
    }
    column.AppendBytes(*wkb);
  }
  return {};
}

template <class T, class Values>
std::string Pack(const Values& values) {
  std::string row(static_cast<size_t>(values.size()) * sizeof(T), '\0');
  for (int i = 0; i < values.size(); ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(row.data() + static_cast<size_t>(i) * sizeof(T), &value, sizeof(T));
  }
  return row;
}

// One array row and the type of its elements.
Result<std::pair<DataType, std::string>> DecodeArrayRow(const pb::ScalarField& row,
                                                        const std::string& field) {
  if (HasNullElement(row)) return Invalid("array field {} has a null element", field);
  switch (row.data_case()) {
    case pb::ScalarField::kBoolData:
      return std::pair(DataType::kBool, Pack<uint8_t>(row.bool_data().data()));
    case pb::ScalarField::kIntData:
      return std::pair(DataType::kInt32, Pack<int32_t>(row.int_data().data()));
    case pb::ScalarField::kLongData:
      return std::pair(DataType::kInt64, Pack<int64_t>(row.long_data().data()));
    case pb::ScalarField::kFloatData:
      return std::pair(DataType::kFloat, Pack<float>(row.float_data().data()));
    case pb::ScalarField::kDoubleData:
      return std::pair(DataType::kDouble, Pack<double>(row.double_data().data()));
    case pb::ScalarField::kStringData: {
      const auto& data = row.string_data().data();
      // No element, no type: such a row fits arrays of any type.
      if (data.empty()) return std::pair(DataType::kNone, std::string());
      const std::vector<std::string_view> texts(data.begin(), data.end());
      return std::pair(DataType::kVarChar, model::PackTexts(texts));
    }
    case pb::ScalarField::DATA_NOT_SET:
      // An empty list has the member of its type; this is neither a list nor a null.
      return Invalid("array field {} has a row that is nothing", field);
    default:
      return Invalid("array field {} has elements of a type that is not supported", field);
  }
}

Status DecodeArrays(const pb::FieldData& field, const std::vector<uint8_t>& valid, Column& column) {
  const auto& rows = field.scalars().array_data().data();
  TRY(CheckValueCount(field, static_cast<size_t>(rows.size())));
  column.element_type = static_cast<DataType>(field.scalars().array_data().element_type());
  bool typed = false;
  int next = 0;
  const size_t count = valid.empty() ? static_cast<size_t>(rows.size()) : valid.size();
  for (size_t i = 0; i < count; ++i) {
    if (!valid.empty() && valid[i] == 0) {
      column.AppendNull();
      continue;
    }
    TRY_ASSIGN(const auto row, DecodeArrayRow(rows[next++], field.field_name()));
    if (row.first != DataType::kNone && !row.second.empty()) {
      if (typed && column.element_type != row.first) {
        return Invalid("rows of array field {} have elements of different types",
                       field.field_name());
      }
      column.element_type = row.first;
      typed = true;
    }
    column.AppendBytes(row.second);
  }
  return {};
}

Status DecodeScalars(const pb::FieldData& field, Column& column) {
  const std::vector<uint8_t> valid = ValidOf(field);
  const pb::ScalarField& scalars = field.scalars();
  const auto fixed = [&]<class T>(T, DataType type, const auto& values) -> Status {
    column.type = type;
    TRY(CheckValueCount(field, static_cast<size_t>(values.size())));
    AppendFixed<T>(column, valid, values);
    return {};
  };
  const auto texts = [&](DataType type, const auto& values) -> Status {
    column.type = type;
    TRY(CheckValueCount(field, static_cast<size_t>(values.size())));
    AppendTexts(column, valid, values);
    return {};
  };
  switch (scalars.data_case()) {
    case pb::ScalarField::kBoolData:
      return fixed(uint8_t{}, DataType::kBool, scalars.bool_data().data());
    case pb::ScalarField::kIntData:
      return fixed(int32_t{}, DataType::kInt32, scalars.int_data().data());
    case pb::ScalarField::kLongData:
      return fixed(int64_t{}, DataType::kInt64, scalars.long_data().data());
    case pb::ScalarField::kFloatData:
      return fixed(float{}, DataType::kFloat, scalars.float_data().data());
    case pb::ScalarField::kDoubleData:
      return fixed(double{}, DataType::kDouble, scalars.double_data().data());
    case pb::ScalarField::kStringData:
      return texts(DataType::kVarChar, scalars.string_data().data());
    case pb::ScalarField::kJsonData:
      return texts(DataType::kJson, scalars.json_data().data());
    case pb::ScalarField::kArrayData:
      column.type = DataType::kArray;
      return DecodeArrays(field, valid, column);
    case pb::ScalarField::kGeometryWktData:
      column.type = DataType::kGeometry;
      TRY(CheckValueCount(field, static_cast<size_t>(scalars.geometry_wkt_data().data_size())));
      return AppendGeometries(field, valid, column);
    case pb::ScalarField::DATA_NOT_SET:
      if (IsAllNull(field)) return {};
      break;
    default:
      break;
  }
  return Invalid("field {} has no data of a known type", field.field_name());
}

template <class T, class Values>
void EncodeFixed(const model::ColumnView& view, Values* values) {
  values->Reserve(static_cast<int>(view.rows));
  for (size_t i = 0; i < view.rows; ++i) values->Add(view.Get<T>(i));
}

void EncodeArrayRow(DataType type, std::string_view row, pb::ScalarField* to) {
  const size_t size = row.empty() ? 0 : model::ArraySize(type, row);
  const auto each = [&]<class T>(T, auto* values) {
    for (size_t i = 0; i < size; ++i) {
      T value;
      std::memcpy(&value, row.data() + i * sizeof(T), sizeof(T));
      values->Add(value);
    }
  };
  switch (type) {
    case DataType::kBool:
      each(int8_t{}, to->mutable_bool_data()->mutable_data());
      break;
    case DataType::kInt8:
      each(int8_t{}, to->mutable_int_data()->mutable_data());
      break;
    case DataType::kInt16:
      each(int16_t{}, to->mutable_int_data()->mutable_data());
      break;
    case DataType::kInt32:
      each(int32_t{}, to->mutable_int_data()->mutable_data());
      break;
    case DataType::kInt64:
      each(int64_t{}, to->mutable_long_data()->mutable_data());
      break;
    case DataType::kFloat:
      each(float{}, to->mutable_float_data()->mutable_data());
      break;
    case DataType::kDouble:
      each(double{}, to->mutable_double_data()->mutable_data());
      break;
    default: {
      auto* texts = to->mutable_string_data();
      if (size == 0) break;
      for (std::string_view text : model::ArrayTexts(row))
        texts->add_data(text.data(), text.size());
    }
  }
}

}  // namespace

Result<Column> DecodeColumn(const pb::FieldData& field) {
  Column column;
  column.name = field.field_name();
  column.is_dynamic = field.is_dynamic();
  if (field.has_struct_arrays()) {
    return Invalid("field {} is a struct, want a column", field.field_name());
  }
  TRY(CheckMask(field));
  TRY(field.has_vectors() ? DecodeVectors(field, column) : DecodeScalars(field, column));
  const auto& mask = MaskOf(field);
  if (IsAllNull(field)) {
    // Whatever the request calls them: some clients have no payload for them, or any.
    Column nulls{.name = std::move(column.name), .is_dynamic = column.is_dynamic};
    for (int row = 0; row < mask.size(); ++row) nulls.AppendNull();
    return nulls;
  }
  // A mask stays one, also without nulls: not every field may have it.
  if (!mask.empty() && column.valid.empty()) column.valid.assign(column.rows, 1);
  return column;
}

void EncodeColumn(const Column& column, pb::FieldData* to) {
  // Moments come as texts of their type.
  const bool is_moments =
      column.type == DataType::kVarChar && column.element_type == DataType::kTimestamptz;
  to->set_type(static_cast<pb::DataType>(is_moments ? DataType::kTimestamptz : column.type));
  to->set_field_name(column.name);
  to->set_field_id(column.field_id.value());
  to->set_is_dynamic(column.is_dynamic);
  for (uint8_t v : column.valid) to->add_valid_data(v != 0);
  if (model::IsVector(column.type)) return EncodeVectors(column, to->mutable_vectors());
  const model::ColumnView view = column.view();
  pb::ScalarField* scalars = to->mutable_scalars();
  switch (column.type) {
    case DataType::kBool:
      EncodeFixed<int8_t>(view, scalars->mutable_bool_data()->mutable_data());
      break;
    case DataType::kInt8:
      EncodeFixed<int8_t>(view, scalars->mutable_int_data()->mutable_data());
      break;
    case DataType::kInt16:
      EncodeFixed<int16_t>(view, scalars->mutable_int_data()->mutable_data());
      break;
    case DataType::kInt32:
      EncodeFixed<int32_t>(view, scalars->mutable_int_data()->mutable_data());
      break;
    case DataType::kInt64:
      EncodeFixed<int64_t>(view, scalars->mutable_long_data()->mutable_data());
      break;
    case DataType::kFloat:
      EncodeFixed<float>(view, scalars->mutable_float_data()->mutable_data());
      break;
    case DataType::kDouble:
      EncodeFixed<double>(view, scalars->mutable_double_data()->mutable_data());
      break;
    case DataType::kVarChar:
    case DataType::kText: {
      auto* texts = scalars->mutable_string_data();
      for (size_t i = 0; i < view.rows; ++i)
        texts->add_data(view.Bytes(i).data(), view.Bytes(i).size());
      break;
    }
    case DataType::kJson: {
      auto* texts = scalars->mutable_json_data();
      for (size_t i = 0; i < view.rows; ++i)
        texts->add_data(view.Bytes(i).data(), view.Bytes(i).size());
      break;
    }
    case DataType::kGeometry: {
      auto* texts = scalars->mutable_geometry_wkt_data();
      for (size_t i = 0; i < view.rows; ++i) {
        // Stored bytes have a checksum, so that they are a geometry; a null row has none.
        Result<std::string> text = geometry::WriteWkt(view.Bytes(i));
        texts->add_data(text.ok() ? *std::move(text) : std::string());
      }
      break;
    }
    case DataType::kArray: {
      auto* arrays = scalars->mutable_array_data();
      arrays->set_element_type(static_cast<pb::DataType>(column.element_type));
      for (size_t i = 0; i < view.rows; ++i) {
        EncodeArrayRow(column.element_type, view.Bytes(i), arrays->add_data());
      }
      break;
    }
    default:
      break;
  }
}

void EncodeIds(const Column& keys, pb::IDs* to) {
  const model::ColumnView view = keys.view();
  if (keys.type == DataType::kVarChar) {
    auto* ids = to->mutable_str_id();
    for (size_t i = 0; i < view.rows; ++i)
      ids->add_data(view.Bytes(i).data(), view.Bytes(i).size());
    return;
  }
  auto* ids = to->mutable_int_id();
  for (size_t i = 0; i < view.rows; ++i) ids->add_data(view.Get<int64_t>(i));
}

}  // namespace elanus::wire
