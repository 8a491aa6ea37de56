// Struct fields and lists of vectors between the wire and the model.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "model/column.h"

namespace google::protobuf {
template <class T>
class RepeatedPtrField;
}
namespace milvus::proto::schema {
class FieldData;
class VectorField;
}  // namespace milvus::proto::schema

namespace elanus::wire {

/// Appends the columns of a request's field: of a struct one for each sub-field, under their stored
/// names, else one (DecodeColumn). Those of a struct without payload are columns of type kNone
/// without rows. Errors: kInvalidParameter; a sub-field outside of its struct is one.
Status DecodeColumns(const milvus::proto::schema::FieldData& field,
                     std::vector<model::Column>& columns);

/// The fields of an answer: columns of sub-fields become fields of one struct, where the first of
/// them stands.
void EncodeColumns(const std::vector<model::Column>& columns,
                   google::protobuf::RepeatedPtrField<milvus::proto::schema::FieldData>* to);

/// A column of lists of vectors: ArrayOfVector, its element type and dim those of the rows that
/// have vectors. Values are compact on the wire when there are nulls. Errors: kInvalidParameter.
Status DecodeVectorLists(const milvus::proto::schema::FieldData& field, model::Column& column);

/// The payload of such a column: a list for every row, empty where the row is null.
void EncodeVectorLists(const model::Column& column, milvus::proto::schema::VectorField* to);

}  // namespace elanus::wire
