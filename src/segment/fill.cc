// Filler columns.
#include "segment/fill.h"

#include "segment/segment.h"

namespace elanus::segment {
namespace {

model::Column OneRow(const model::FieldSchema& field) {
  model::Column filler =
      model::MakeColumn(field.id, field.name, field.type, field.element_type, field.dim());
  if (!field.default_value) {
    if (field.is_dynamic)
      filler.AppendBytes("{}");
    else
      filler.AppendNull();
    return filler;
  }
  const model::Scalar& value = *field.default_value;
  switch (field.type) {
    case model::DataType::kBool:
    case model::DataType::kInt8: {
      const int8_t v = value.is_bool() ? value.as_bool() : static_cast<int8_t>(value.as_int());
      filler.AppendFixed(&v);
      break;
    }
    case model::DataType::kInt16: {
      const int16_t v = static_cast<int16_t>(value.as_int());
      filler.AppendFixed(&v);
      break;
    }
    case model::DataType::kInt32: {
      const int32_t v = static_cast<int32_t>(value.as_int());
      filler.AppendFixed(&v);
      break;
    }
    case model::DataType::kTimestamptz:
    case model::DataType::kInt64: {
      const int64_t v = value.as_int();
      filler.AppendFixed(&v);
      break;
    }
    case model::DataType::kFloat: {
      const float v = static_cast<float>(value.number());
      filler.AppendFixed(&v);
      break;
    }
    case model::DataType::kDouble: {
      const double v = value.number();
      filler.AppendFixed(&v);
      break;
    }
    default:
      filler.AppendBytes(value.is_string() ? value.as_string() : std::string());
  }
  return filler;
}

}  // namespace

model::Column FillColumn(const model::FieldSchema& field, size_t rows) {
  const model::Column one = OneRow(field);
  model::Column filled =
      model::MakeColumn(field.id, field.name, field.type, field.element_type, field.dim());
  while (filled.rows < rows) filled.AppendRow(one.view(), 0);
  return filled;
}

std::shared_ptr<const model::Column> Fillers::Of(const model::FieldSchema& field) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::weak_ptr<const model::Column>& known = columns_[field.id.value()];
  if (auto column = known.lock()) return column;
  auto column = std::make_shared<const model::Column>(FillColumn(field, kChunkRows));
  known = column;
  return column;
}

}  // namespace elanus::segment
