// Null masks.
#include "wire/grpc/null_mask.h"

#include <algorithm>

#include "schema.pb.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
using Mask = google::protobuf::RepeatedField<bool>;

const Mask& InnerMask(const pb::FieldData& field) {
  return field.has_vectors() ? field.vectors().valid_data() : field.scalars().valid_data();
}

bool HasNull(const Mask& mask) { return std::find(mask.begin(), mask.end(), false) != mask.end(); }

}  // namespace

const Mask& MaskOf(const pb::FieldData& field) {
  const Mask& inner = InnerMask(field);
  return inner.empty() ? field.valid_data() : inner;
}

Status CheckMask(const pb::FieldData& field) {
  const Mask& inner = InnerMask(field);
  const Mask& outer = field.valid_data();
  if (inner.empty() || outer.empty()) return {};
  if (std::equal(inner.begin(), inner.end(), outer.begin(), outer.end())) return {};
  return Invalid("field {} has two masks of nulls, which are not the same", field.field_name());
}

Status CheckValueCount(const pb::FieldData& field, size_t values) {
  const Mask& mask = MaskOf(field);
  const auto expected = static_cast<size_t>(std::count(mask.begin(), mask.end(), true));
  if (mask.empty() || expected == values) return {};
  return Invalid(
      "the length of valid data of field({}) is wrong: invalid parameter[expected={}][actual={}]",
      field.field_name(), expected, values);
}

bool IsAllNull(const pb::FieldData& field) {
  const Mask& mask = MaskOf(field);
  return !mask.empty() && std::find(mask.begin(), mask.end(), true) == mask.end();
}

bool HasNullElement(const pb::ScalarField& list) { return HasNull(list.valid_data()); }
bool HasNullElement(const pb::VectorField& list) { return HasNull(list.valid_data()); }

}  // namespace elanus::wire
