// Struct fields and lists of vectors.
#include "wire/grpc/struct_codec.h"

#include <algorithm>
#include <map>

#include "model/schema.h"
#include "schema.pb.h"
#include "wire/grpc/column_codec.h"
#include "wire/grpc/null_mask.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
using model::Column;
using model::DataType;

constexpr int64_t kDimMax = INT32_MAX / 4;  // Keeps dim * 4 within 32 bits.

struct List {
  DataType type = DataType::kNone;  // kNone: without vectors.
  std::string_view bytes;
};

Result<List> ListOf(const pb::VectorField& row, const std::string& field) {
  const auto list = [](DataType type, std::string_view bytes) {
    return List{.type = bytes.empty() ? DataType::kNone : type, .bytes = bytes};
  };
  if (HasNullElement(row)) return Invalid("a row of field {} has a null element", field);
  switch (row.data_case()) {
    case pb::VectorField::kFloatVector: {
      const auto& values = row.float_vector().data();
      return list(DataType::kFloatVector, {reinterpret_cast<const char*>(values.data()),
                                           static_cast<size_t>(values.size()) * sizeof(float)});
    }
    case pb::VectorField::kBinaryVector:
      return list(DataType::kBinaryVector, row.binary_vector());
    case pb::VectorField::kFloat16Vector:
      return list(DataType::kFloat16Vector, row.float16_vector());
    case pb::VectorField::kBfloat16Vector:
      return list(DataType::kBFloat16Vector, row.bfloat16_vector());
    case pb::VectorField::kInt8Vector:
      return list(DataType::kInt8Vector, row.int8_vector());
    case pb::VectorField::DATA_NOT_SET:
      return List();
    default:
      return Invalid("a row of field {} holds vectors of a type that no list can hold", field);
  }
}

bool IsSameMask(const google::protobuf::RepeatedField<bool>& one,
                const google::protobuf::RepeatedField<bool>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

bool IsBare(const pb::FieldData& field) {
  return field.scalars().data_case() == pb::ScalarField::DATA_NOT_SET &&
         field.vectors().data_case() == pb::VectorField::DATA_NOT_SET &&
         !field.has_struct_arrays() && MaskOf(field).empty();
}

}  // namespace

Status DecodeColumns(const pb::FieldData& field, std::vector<Column>& columns) {
  if (!field.has_struct_arrays()) {
    if (!field.is_dynamic() && !model::StructName(field.field_name()).empty()) {
      return Invalid("struct sub-field {} cannot be written alone, write the whole struct field",
                     field.field_name());
    }
    TRY_ASSIGN(Column column, DecodeColumn(field));
    columns.push_back(std::move(column));
    return {};
  }
  const auto& parts = field.struct_arrays().fields();
  if (parts.empty()) return Invalid("struct field {} has no sub-fields", field.field_name());
  // A struct without any payload or mask is one that is left out.
  const bool is_left_out = std::all_of(parts.begin(), parts.end(), IsBare);
  for (const pb::FieldData& part : parts) {
    if (!field.valid_data().empty() && !IsSameMask(MaskOf(part), field.valid_data())) {
      return Invalid("struct field {} has another mask of nulls than its sub-field {}",
                     field.field_name(), part.field_name());
    }
    if (part.has_struct_arrays()) {
      return Invalid("struct field {} holds another struct, {}", field.field_name(),
                     part.field_name());
    }
    Column column;
    if (!is_left_out) {
      TRY_ASSIGN(column, DecodeColumn(part));
    }
    column.name = model::SubFieldName(field.field_name(), part.field_name());
    columns.push_back(std::move(column));
  }
  return {};
}

void EncodeColumns(const std::vector<Column>& columns,
                   google::protobuf::RepeatedPtrField<pb::FieldData>* to) {
  std::map<std::string_view, pb::FieldData*> structs;
  for (const Column& column : columns) {
    const std::string_view name = model::StructName(column.name);
    if (name.empty()) {
      EncodeColumn(column, to->Add());
      continue;
    }
    pb::FieldData*& whole = structs[name];
    if (whole == nullptr) {
      whole = to->Add();
      whole->set_type(pb::DataType::ArrayOfStruct);
      whole->set_field_name(std::string(name));
    }
    pb::FieldData* part = whole->mutable_struct_arrays()->add_fields();
    EncodeColumn(column, part);
    part->set_field_name(std::string(model::SubName(column.name)));
  }
}

Status DecodeVectorLists(const pb::FieldData& field, Column& column) {
  const pb::VectorArray& lists = field.vectors().vector_array();
  const auto& bits = MaskOf(field);
  TRY(CheckValueCount(field, static_cast<size_t>(lists.data_size())));
  column.type = DataType::kArrayOfVector;
  column.element_type = static_cast<DataType>(lists.element_type());
  int64_t dim = lists.dim();
  int next = 0;
  const int rows = bits.empty() ? lists.data_size() : bits.size();
  for (int i = 0; i < rows; ++i) {
    if (!bits.empty() && !bits[i]) {
      column.AppendNull();
      continue;
    }
    const pb::VectorField& row = lists.data(next++);
    TRY_ASSIGN(const List list, ListOf(row, field.field_name()));
    if (list.type != DataType::kNone) {
      if (column.element_type == DataType::kNone) column.element_type = list.type;
      if (dim == 0) dim = row.dim();
      if (column.element_type != list.type || (row.dim() != 0 && row.dim() != dim)) {
        return Invalid("rows of field {} hold vectors of different types or dims",
                       field.field_name());
      }
    }
    column.AppendBytes(list.bytes);
  }
  if (dim < 0 || dim > kDimMax) {
    return Invalid("the dim ({}) of field {} is out of range", dim, field.field_name());
  }
  column.dim = static_cast<uint32_t>(dim);
  return {};
}

void EncodeVectorLists(const Column& column, pb::VectorField* to) {
  pb::VectorArray* lists = to->mutable_vector_array();
  lists->set_dim(column.dim);
  lists->set_element_type(static_cast<pb::DataType>(column.element_type));
  const model::ColumnView view = column.view();
  for (size_t i = 0; i < view.rows; ++i) {
    pb::VectorField* row = lists->add_data();
    row->set_dim(column.dim);
    const std::string_view bytes = view.Bytes(i);
    switch (column.element_type) {
      case DataType::kFloatVector: {
        auto* values = row->mutable_float_vector()->mutable_data();
        values->Resize(static_cast<int>(bytes.size() / sizeof(float)), 0.0f);
        if (!bytes.empty()) std::memcpy(values->mutable_data(), bytes.data(), bytes.size());
        break;
      }
      case DataType::kBinaryVector:
        row->set_binary_vector(bytes.data(), bytes.size());
        break;
      case DataType::kFloat16Vector:
        row->set_float16_vector(bytes.data(), bytes.size());
        break;
      case DataType::kBFloat16Vector:
        row->set_bfloat16_vector(bytes.data(), bytes.size());
        break;
      case DataType::kInt8Vector:
        row->set_int8_vector(bytes.data(), bytes.size());
        break;
      default:
        CHECK(false && "no list of vectors of this type is stored");
    }
  }
}

}  // namespace elanus::wire
