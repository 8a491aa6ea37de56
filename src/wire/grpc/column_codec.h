// Columns between the wire and the model.
#pragma once

#include "base/status.h"
#include "model/column.h"
#include "model/requests/data.h"

namespace milvus::proto::schema {
class FieldData;
class IDs;
}  // namespace milvus::proto::schema

namespace elanus::wire {

/// A column of a request. Int8, Int16 and Int32 arrive as Int32, arrays of them with Int32
/// elements: the proxy narrows. Values are compact on the wire when there are nulls and dense here,
/// but for dense vectors (see DecodeVectors). Nulls alone have the type kNone, as they are those of
/// any field. Errors: kInvalidParameter, kUnimplemented.
Result<model::Column> DecodeColumn(const milvus::proto::schema::FieldData& field);

/// A column of an answer: scalars dense with placeholders at nulls, vectors compact.
void EncodeColumn(const model::Column& column, milvus::proto::schema::FieldData* to);

void EncodeIds(const model::Column& keys, milvus::proto::schema::IDs* to);

}  // namespace elanus::wire
