// Which rows of a request's column are null.
#pragma once

#include <cstddef>

#include "base/status.h"

namespace google::protobuf {
template <class T>
class RepeatedField;
}
namespace milvus::proto::schema {
class FieldData;
class ScalarField;
class VectorField;
}  // namespace milvus::proto::schema

namespace elanus::wire {

/// One entry for each row, false where it is null; empty where no row is. The newest protocol has
/// it inside of the values, all before it have it beside them; either is read.
const google::protobuf::RepeatedField<bool>& MaskOf(const milvus::proto::schema::FieldData& field);

/// Refuses a column with two masks that are not the same. Errors: kInvalidParameter.
Status CheckMask(const milvus::proto::schema::FieldData& field);

/// Refuses `values` that are not one for each valid row of the mask. Errors: kInvalidParameter.
Status CheckValueCount(const milvus::proto::schema::FieldData& field, size_t values);

/// Whether there is a mask, and no row is valid.
bool IsAllNull(const milvus::proto::schema::FieldData& field);

/// Whether an element of the list is null, which only the newest protocol can say.
bool HasNullElement(const milvus::proto::schema::ScalarField& list);
bool HasNullElement(const milvus::proto::schema::VectorField& list);

}  // namespace elanus::wire
