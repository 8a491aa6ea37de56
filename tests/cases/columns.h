// Rows as JSON on one side, columns of the wire contract on the other.
#pragma once

#include <string>
#include <vector>

#include "case_file.h"
#include "schema.pb.h"

namespace elanus::cases {

/// Fills `to` with one column. JSON null is a null row. Values that do not fit the field's type
/// travel as what they are, as a careless client would send them.
void EncodeColumn(const model::FieldSchema& field, const std::vector<Json>& values,
                  milvus::proto::schema::FieldData* to);
/// The column of keys that are no fields; `objects` are its rows.
void EncodeDynamic(const std::vector<Json>& objects, milvus::proto::schema::FieldData* to);
/// The schema as CreateCollection carries it.
void EncodeSchema(const model::CollectionSchema& schema,
                  milvus::proto::schema::CollectionSchema* to);
/// The value of a {name} in a filter.
void EncodeTemplate(const Json& value, milvus::proto::schema::TemplateValue* to);

size_t RowsOf(const milvus::proto::schema::FieldData& column);
/// Adds the columns of an answer to `rows`, keys of the dynamic column beside the fields, as SDKs
/// show them. False when a column does not have one value a row.
bool AddColumns(const google::protobuf::RepeatedPtrField<milvus::proto::schema::FieldData>& columns,
                std::vector<Json>& rows);
std::vector<Json> DecodeIds(const milvus::proto::schema::IDs& ids);

/// Equal, but for the last digits of floating numbers.
bool AboutEqual(const Json& left, const Json& right);

}  // namespace elanus::cases
