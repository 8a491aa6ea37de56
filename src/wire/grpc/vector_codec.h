// Vector columns and query vectors between the wire and the model.
#pragma once

#include <string>

#include "base/status.h"
#include "model/column.h"

namespace milvus::proto::schema {
class FieldData;
class VectorField;
}  // namespace milvus::proto::schema

namespace elanus::wire {

/// The vectors of a request's column. Null rows of dense vectors have no bytes in `data`: how wide
/// they are to be is the schema's to say, so the proxy spreads the rows. Sparse rows are in the
/// column's form, what they hold is not judged. Errors: kInvalidParameter.
Status DecodeVectors(const milvus::proto::schema::FieldData& field, model::Column& column);

/// The payload of an answer's column: of its valid rows only.
void EncodeVectors(const model::Column& column, milvus::proto::schema::VectorField* to);

/// The query vectors of a serialised PlaceholderGroup, one row each, as a column of the type that
/// the placeholder names; embedding lists as a column of ArrayOfVector without a dim, which they do
/// not say. Without any, a column of no rows. Errors: kInvalidParameter.
Result<model::Column> DecodeQueries(const std::string& placeholder_group);

}  // namespace elanus::wire
