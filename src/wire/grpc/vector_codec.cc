// Vectors between the wire and the model.
#include "wire/grpc/vector_codec.h"

#include <algorithm>

#include "common.pb.h"
#include "model/sparse_row.h"
#include "schema.pb.h"
#include "wire/grpc/null_mask.h"
#include "wire/grpc/struct_codec.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
namespace common = milvus::proto::common;
using model::Column;
using model::DataType;

// Keeps dim * 4 within 32 bits.
constexpr int64_t kDimMax = INT32_MAX / 4;

void TakeMask(const pb::FieldData& field, size_t values, Column& column) {
  const auto& bits = MaskOf(field);
  column.rows = bits.empty() ? values : static_cast<size_t>(bits.size());
  if (std::find(bits.begin(), bits.end(), false) != bits.end()) {
    column.valid.assign(bits.begin(), bits.end());
  }
}

Status DecodeDense(const pb::FieldData& field, DataType type, const void* data, size_t bytes,
                   Column& column) {
  const int64_t dim = field.vectors().dim();
  column.type = type;
  const auto wrong = [&] {
    return Invalid("the length({}) of {} data should divide the dim({}), field: {}", bytes,
                   NameOf(type), dim, field.field_name());
  };
  size_t rows = 0;
  const bool only_nulls = bytes == 0 && !MaskOf(field).empty();
  if (dim > 0 && dim <= kDimMax) column.dim = static_cast<uint32_t>(dim);
  if (!only_nulls) {
    const uint32_t width = column.width();
    if (width == 0 || bytes % width != 0) return wrong();
    rows = bytes / width;
  }
  TRY(CheckValueCount(field, rows));
  TakeMask(field, rows, column);
  const auto* begin = static_cast<const uint8_t*>(data);
  if (bytes > 0) column.data.assign(begin, begin + bytes);
  return {};
}

Status DecodeBytes(const pb::FieldData& field, DataType type, const std::string& bytes,
                   Column& column) {
  return DecodeDense(field, type, bytes.data(), bytes.size(), column);
}

Status DecodeSparse(const pb::FieldData& field, Column& column) {
  const auto& contents = field.vectors().sparse_float_vector().contents();
  const auto count = static_cast<size_t>(contents.size());
  TRY(CheckValueCount(field, count));
  column.type = DataType::kSparseFloatVector;
  const auto& bits = MaskOf(field);
  const size_t rows = bits.empty() ? count : static_cast<size_t>(bits.size());
  std::string row;
  int next = 0;
  for (size_t i = 0; i < rows; ++i) {
    if (!bits.empty() && !bits[static_cast<int>(i)]) {
      column.AppendNull();
      continue;
    }
    const std::string& pairs = contents[next++];
    if (pairs.size() % 8 != 0) {
      return Invalid("invalid data length in sparse float vector: {} bytes, field: {}",
                     pairs.size(), field.field_name());
    }
    model::PairsToSparseRow(pairs, row);
    column.AppendBytes(row);
  }
  return {};
}

size_t ValidRows(const model::ColumnView& view) {
  if (view.valid == nullptr) return view.rows;
  return view.rows - static_cast<size_t>(std::count(view.valid, view.valid + view.rows, 0));
}

// The valid rows of a dense column, one after the other.
void CopyValid(const model::ColumnView& view, void* to) {
  if (view.rows == 0) return;
  if (view.valid == nullptr) {
    std::memcpy(to, view.data, view.rows * view.width);
    return;
  }
  auto* at = static_cast<uint8_t*>(to);
  for (size_t i = 0; i < view.rows; ++i) {
    if (view.valid[i] == 0) continue;
    std::memcpy(at, view.data + i * view.width, view.width);
    at += view.width;
  }
}

// The type of a placeholder's vectors; kNone for what is no vector.
DataType TypeOf(common::PlaceholderType type) {
  switch (type) {
    case common::PlaceholderType::BinaryVector:
      return DataType::kBinaryVector;
    case common::PlaceholderType::FloatVector:
      return DataType::kFloatVector;
    case common::PlaceholderType::Float16Vector:
      return DataType::kFloat16Vector;
    case common::PlaceholderType::BFloat16Vector:
      return DataType::kBFloat16Vector;
    case common::PlaceholderType::SparseFloatVector:
      return DataType::kSparseFloatVector;
    case common::PlaceholderType::Int8Vector:
      return DataType::kInt8Vector;
    case common::PlaceholderType::VarChar:
      return DataType::kVarChar;
    default:
      return DataType::kNone;
  }
}

// The type of the vectors in an embedding list; kNone for other placeholders, and for lists of
// sparse vectors, which no field holds.
DataType ListElementOf(common::PlaceholderType type) {
  switch (type) {
    case common::PlaceholderType::EmbListBinaryVector:
      return DataType::kBinaryVector;
    case common::PlaceholderType::EmbListFloatVector:
      return DataType::kFloatVector;
    case common::PlaceholderType::EmbListFloat16Vector:
      return DataType::kFloat16Vector;
    case common::PlaceholderType::EmbListBFloat16Vector:
      return DataType::kBFloat16Vector;
    case common::PlaceholderType::EmbListInt8Vector:
      return DataType::kInt8Vector;
    default:
      return DataType::kNone;
  }
}

// The dim of a dense query vector of `bytes` bytes; 0 when that is not whole elements.
size_t DimOf(DataType type, size_t bytes) {
  if (type == DataType::kBinaryVector) return bytes * 8;
  const uint32_t element = model::WidthOf(type, 1);
  return bytes % element == 0 ? bytes / element : 0;
}

}  // namespace

Status DecodeVectors(const pb::FieldData& field, Column& column) {
  const pb::VectorField& vectors = field.vectors();
  switch (vectors.data_case()) {
    case pb::VectorField::kFloatVector: {
      const auto& values = vectors.float_vector().data();
      return DecodeDense(field, DataType::kFloatVector, values.data(),
                         static_cast<size_t>(values.size()) * sizeof(float), column);
    }
    case pb::VectorField::kBinaryVector:
      if (vectors.dim() % 8 != 0) {
        return Invalid("the dim({}) of a binary vector should be a multiple of 8, field: {}",
                       vectors.dim(), field.field_name());
      }
      return DecodeBytes(field, DataType::kBinaryVector, vectors.binary_vector(), column);
    case pb::VectorField::kFloat16Vector:
      return DecodeBytes(field, DataType::kFloat16Vector, vectors.float16_vector(), column);
    case pb::VectorField::kBfloat16Vector:
      return DecodeBytes(field, DataType::kBFloat16Vector, vectors.bfloat16_vector(), column);
    case pb::VectorField::kInt8Vector:
      return DecodeBytes(field, DataType::kInt8Vector, vectors.int8_vector(), column);
    case pb::VectorField::kSparseFloatVector:
      return DecodeSparse(field, column);
    case pb::VectorField::kVectorArray:
      return DecodeVectorLists(field, column);
    case pb::VectorField::DATA_NOT_SET:
      break;
  }
  if (IsAllNull(field)) return {};
  return Invalid("field {} has no data of a known type", field.field_name());
}

void EncodeVectors(const Column& column, pb::VectorField* to) {
  to->set_dim(column.dim);
  const model::ColumnView view = column.view();
  if (column.type == DataType::kArrayOfVector) return EncodeVectorLists(column, to);
  if (column.type == DataType::kSparseFloatVector) {
    auto* sparse = to->mutable_sparse_float_vector();
    uint32_t dim = 0;
    for (size_t i = 0; i < view.rows; ++i) {
      if (!view.IsValid(i)) continue;
      sparse->add_contents(model::SparseRowToPairs(view.Bytes(i)));
      dim = std::max(dim, model::SparseDim(view.Bytes(i)));
    }
    sparse->set_dim(dim);
    to->set_dim(dim);
    return;
  }
  const size_t bytes = ValidRows(view) * view.width;
  const auto fill = [&](std::string* payload) {
    payload->resize(bytes);
    CopyValid(view, payload->data());
  };
  switch (column.type) {
    case DataType::kFloatVector: {
      auto* values = to->mutable_float_vector()->mutable_data();
      values->Resize(static_cast<int>(bytes / sizeof(float)), 0.0f);
      CopyValid(view, values->mutable_data());
      break;
    }
    case DataType::kBinaryVector:
      fill(to->mutable_binary_vector());
      break;
    case DataType::kFloat16Vector:
      fill(to->mutable_float16_vector());
      break;
    case DataType::kBFloat16Vector:
      fill(to->mutable_bfloat16_vector());
      break;
    case DataType::kInt8Vector:
      fill(to->mutable_int8_vector());
      break;
    default:
      CHECK(false && "no vector of this type is stored");
  }
}

Result<Column> DecodeQueries(const std::string& placeholder_group) {
  common::PlaceholderGroup group;
  if (!group.ParseFromString(placeholder_group) || group.placeholders_size() != 1) {
    return Invalid("the placeholder group of a search must hold one placeholder");
  }
  const common::PlaceholderValue& placeholder = group.placeholders(0);
  if (const DataType element = ListElementOf(placeholder.type()); element != DataType::kNone) {
    Column lists = model::MakeColumn({}, "", DataType::kArrayOfVector, element, 0);
    for (const std::string& value : placeholder.values()) lists.AppendBytes(value);
    return lists;
  }
  const DataType type = TypeOf(placeholder.type());
  if (type == DataType::kNone) {
    return Invalid("query vectors of placeholder type {} do not fit a vector field",
                   common::PlaceholderType_Name(placeholder.type()));
  }
  Column queries = model::MakeColumn({}, "", type, DataType::kNone, 0);
  if (type == DataType::kVarChar) {
    for (const std::string& text : placeholder.values()) queries.AppendBytes(text);
    return queries;
  }
  std::string row;
  for (const std::string& value : placeholder.values()) {
    if (type == DataType::kSparseFloatVector) {
      if (value.size() % 8 != 0) {
        return Invalid("invalid data length in sparse float vector: {} bytes", value.size());
      }
      model::PairsToSparseRow(value, row);
      queries.AppendBytes(row);
      continue;
    }
    const size_t dim = DimOf(type, value.size());
    // An empty one would leave fewer numbers than nq * dim behind.
    if (dim == 0 || dim > static_cast<size_t>(kDimMax) ||
        (queries.dim != 0 && dim != queries.dim)) {
      return Invalid("a query vector has {} bytes, which is not a whole vector like the others",
                     value.size());
    }
    queries.dim = static_cast<uint32_t>(dim);
    queries.AppendFixed(value.data());
  }
  return queries;
}

}  // namespace elanus::wire
