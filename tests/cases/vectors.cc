// Vectors from and to JSON.
#include "vectors.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "simd/half_kernels.h"

namespace elanus::cases {
namespace {

namespace pb = milvus::proto::schema;
using model::DataType;

float NumberOf(const Json& value) {
  if (value.is_number()) return value.get<float>();
  if (value == "nan") return std::numeric_limits<float>::quiet_NaN();
  return std::numeric_limits<float>::infinity();
}

bool IsNumber(const Json& value) { return value.is_number() || value == "nan" || value == "inf"; }

template <class T>
void Append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <class T>
T At(std::string_view bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

std::string SparseBytes(const Json& value) {
  std::string bytes;
  const auto append = [&](uint32_t dim, const Json& number) {
    Append(bytes, dim);
    Append(bytes, NumberOf(number));
  };
  if (value.is_object()) {
    std::vector<std::pair<uint32_t, Json>> items;
    for (const auto& [key, number] : value.items())
      items.emplace_back(static_cast<uint32_t>(std::stoul(key)), number);
    std::sort(items.begin(), items.end());
    for (const auto& [dim, number] : items) append(dim, number);
  } else {
    for (const Json& pair : value) append(pair.at(0).get<uint32_t>(), pair.at(1));
  }
  return bytes;
}

std::string BitBytes(const std::string& bits) {
  std::string bytes((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] == '1') bytes[i / 8] = static_cast<char>(bytes[i / 8] | (0x80 >> (i % 8)));
  }
  return bytes;
}

Json HalfNumbers(const simd::HalfKernels& kernels, const std::string& bytes) {
  std::vector<uint16_t> bits(bytes.size() / 2);
  std::memcpy(bits.data(), bytes.data(), bits.size() * 2);
  std::vector<float> numbers(bits.size());
  kernels.decode(bits.data(), bits.size(), numbers.data());
  return Json(numbers);
}

Json VectorOf(DataType type, const std::string& bytes) {
  Json value = Json::array();
  switch (type) {
    case DataType::kFloat16Vector:
      return HalfNumbers(simd::Float16Kernels(), bytes);
    case DataType::kBFloat16Vector:
      return HalfNumbers(simd::BFloat16Kernels(), bytes);
    case DataType::kInt8Vector:
      for (const char c : bytes) value.push_back(static_cast<int8_t>(c));
      return value;
    case DataType::kBinaryVector: {
      std::string bits;
      for (const char c : bytes) {
        for (int bit = 7; bit >= 0; --bit) bits.push_back((c >> bit & 1) != 0 ? '1' : '0');
      }
      return bits;
    }
    default: {
      Json object = Json::object();
      for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
        object[std::to_string(At<uint32_t>(bytes, i / 4))] = At<float>(bytes, i / 4 + 1);
      }
      return object;
    }
  }
}

// Rows of `width` bytes.
std::vector<Json> Split(DataType type, const std::string& bytes, size_t width) {
  std::vector<Json> values;
  for (size_t at = 0; width > 0 && at + width <= bytes.size(); at += width)
    values.push_back(VectorOf(type, bytes.substr(at, width)));
  return values;
}

}  // namespace

DataType VectorTypeOf(DataType wanted, const Json& value) {
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    const bool bits = !text.empty() && text.find_first_not_of("01") == std::string::npos;
    return bits ? DataType::kBinaryVector : DataType::kNone;
  }
  if (value.is_object()) return DataType::kSparseFloatVector;
  if (!value.is_array()) return DataType::kNone;
  const auto all = [&](auto is) { return std::all_of(value.begin(), value.end(), is); };
  if (all([](const Json& item) { return item.is_array(); }) &&
      (!value.empty() || wanted == DataType::kSparseFloatVector)) {
    return DataType::kSparseFloatVector;
  }
  if (!all(IsNumber)) return DataType::kNone;
  const bool takes_numbers = model::IsVector(wanted) && wanted != DataType::kBinaryVector &&
                             wanted != DataType::kSparseFloatVector;
  return takes_numbers ? wanted : DataType::kFloatVector;
}

std::string VectorBytes(DataType type, const Json& value) {
  if (type == DataType::kSparseFloatVector) return SparseBytes(value);
  if (type == DataType::kBinaryVector) return BitBytes(value.get<std::string>());
  std::vector<float> numbers;
  for (const Json& item : value) numbers.push_back(NumberOf(item));
  std::string bytes;
  if (type == DataType::kFloatVector) {
    for (const float number : numbers) Append(bytes, number);
  } else if (type == DataType::kInt8Vector) {
    for (const float number : numbers) bytes.push_back(static_cast<char>(number));
  } else {
    const simd::HalfKernels& kernels =
        type == DataType::kFloat16Vector ? simd::Float16Kernels() : simd::BFloat16Kernels();
    std::vector<uint16_t> bits(numbers.size());
    kernels.encode(numbers.data(), numbers.size(), bits.data());
    for (const uint16_t half : bits) Append(bytes, half);
  }
  return bytes;
}

void EncodeVectors(DataType type, const std::vector<Json>& values, pb::VectorField* to) {
  std::string bytes;
  for (const Json& value : values) bytes += VectorBytes(type, value);
  if (!values.empty()) to->set_dim(static_cast<int64_t>(values[0].size()));
  switch (type) {
    case DataType::kBinaryVector:
      if (!values.empty())
        to->set_dim(static_cast<int64_t>(values[0].get_ref<const std::string&>().size()));
      to->set_binary_vector(bytes);
      break;
    case DataType::kFloat16Vector:
      to->set_float16_vector(bytes);
      break;
    case DataType::kBFloat16Vector:
      to->set_bfloat16_vector(bytes);
      break;
    case DataType::kInt8Vector:
      to->set_int8_vector(bytes);
      break;
    case DataType::kSparseFloatVector:
      to->set_dim(0);
      to->mutable_sparse_float_vector();
      for (const Json& value : values)
        to->mutable_sparse_float_vector()->add_contents(VectorBytes(type, value));
      break;
    default:
      to->mutable_float_vector();
      for (size_t i = 0; i < bytes.size() / 4; ++i)
        to->mutable_float_vector()->add_data(At<float>(bytes, i));
  }
}

std::vector<Json> DecodeVectors(const pb::VectorField& vectors) {
  const auto dim = static_cast<size_t>(std::max<int64_t>(vectors.dim(), 0));
  switch (vectors.data_case()) {
    case pb::VectorField::kFloatVector: {
      std::vector<Json> values;
      const auto& numbers = vectors.float_vector().data();
      for (size_t i = 0; dim > 0 && i < static_cast<size_t>(numbers.size()); ++i) {
        if (i % dim == 0) values.push_back(Json::array());
        values.back().push_back(numbers[static_cast<int>(i)]);
      }
      return values;
    }
    case pb::VectorField::kBinaryVector:
      return Split(DataType::kBinaryVector, vectors.binary_vector(), dim / 8);
    case pb::VectorField::kFloat16Vector:
      return Split(DataType::kFloat16Vector, vectors.float16_vector(), dim * 2);
    case pb::VectorField::kBfloat16Vector:
      return Split(DataType::kBFloat16Vector, vectors.bfloat16_vector(), dim * 2);
    case pb::VectorField::kInt8Vector:
      return Split(DataType::kInt8Vector, vectors.int8_vector(), dim);
    case pb::VectorField::kSparseFloatVector: {
      std::vector<Json> values;
      for (const std::string& pairs : vectors.sparse_float_vector().contents())
        values.push_back(VectorOf(DataType::kSparseFloatVector, pairs));
      return values;
    }
    default:
      return {};
  }
}

}  // namespace elanus::cases
