// Vectors of requests.
#include "proxy/vector_values.h"

#include "model/sparse_row.h"
#include "simd/half_kernels.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;

Status NotFinite(const FieldSchema& field) {
  return Invalid("value of field {} is not a number or infinity", field.name);
}

// A 16-bit float is infinite or no number when all bits of its exponent are set.
bool AllFiniteBits(const Column& column, uint16_t exponent) {
  const size_t count = column.data.size() / 2;
  bool finite = true;
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, column.data.data() + 2 * i, 2);
    finite &= (bits & exponent) != exponent;
  }
  return finite;
}

bool IsHalf(DataType type) {
  return type == DataType::kFloat16Vector || type == DataType::kBFloat16Vector;
}

}  // namespace

Status ConvertToField(const FieldSchema& field, Column& column) {
  if (column.type != DataType::kFloatVector || !IsHalf(field.type)) return {};
  const auto* values = reinterpret_cast<const float*>(column.data.data());
  const size_t count = column.data.size() / sizeof(float);
  if (!AllFinite(values, count)) return NotFinite(field);
  std::vector<uint8_t> halves(count * 2);
  const simd::HalfKernels& kernels =
      field.type == DataType::kFloat16Vector ? simd::Float16Kernels() : simd::BFloat16Kernels();
  kernels.encode(values, count, reinterpret_cast<uint16_t*>(halves.data()));
  column.data = std::move(halves);
  column.type = field.type;
  const Status fits = CheckVectorValues(field, column);
  if (fits.ok()) return {};
  return Invalid("a value of field {} is too large for type {}", field.name, NameOf(field.type));
}

Status CheckVectorValues(const FieldSchema& field, const Column& column) {
  switch (column.type) {
    case DataType::kFloatVector: {
      const auto* values = reinterpret_cast<const float*>(column.data.data());
      return AllFinite(values, column.data.size() / sizeof(float)) ? Status() : NotFinite(field);
    }
    case DataType::kFloat16Vector:
      return AllFiniteBits(column, 0x7C00) ? Status() : NotFinite(field);
    case DataType::kBFloat16Vector:
      return AllFiniteBits(column, 0x7F80) ? Status() : NotFinite(field);
    case DataType::kSparseFloatVector: {
      const model::ColumnView view = column.view();
      for (size_t i = 0; i < column.rows; ++i) {
        Status good = model::CheckSparseRow(view.Bytes(i));
        if (!good.ok()) {
          return std::move(good).WithContext(fmt::format("field {}, row {}", field.name, i));
        }
      }
      return {};
    }
    default:
      return {};
  }
}

void SpreadNulls(Column& column) {
  const uint32_t width = column.width();
  if (width == 0 || column.valid.empty()) return;
  std::vector<uint8_t> spread(column.rows * width);
  const uint8_t* from = column.data.data();
  for (size_t i = 0; i < column.rows; ++i) {
    if (column.valid[i] == 0) continue;
    std::memcpy(spread.data() + i * width, from, width);
    from += width;
  }
  column.data = std::move(spread);
}

}  // namespace elanus::proxy
