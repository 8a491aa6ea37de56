// Schemas, properties and template values between the wire and the model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/requests/schema_change.h"

namespace google::protobuf {
template <class T>
class RepeatedPtrField;
}
namespace milvus::proto {
namespace common {
class KeyValuePair;
}
namespace schema {
class CollectionSchema;
class FieldSchema;
class FunctionSchema;
class StructArrayFieldSchema;
class TemplateValue;
}  // namespace schema
}  // namespace milvus::proto

namespace elanus::wire {

using KeyValuePairs = google::protobuf::RepeatedPtrField<milvus::proto::common::KeyValuePair>;

/// kUnimplemented, by name, for external collections and namespaces. Sub-fields of structs follow
/// the other fields under their stored names, nullable where the struct is.
Result<model::CollectionSchema> DecodeSchema(const milvus::proto::schema::CollectionSchema& from);
/// One field; errors as DecodeSchema.
Result<model::FieldSchema> DecodeField(const milvus::proto::schema::FieldSchema& from);
/// One struct, its sub-fields as DecodeSchema has them.
Result<model::NewStruct> DecodeStruct(const milvus::proto::schema::StructArrayFieldSchema& from);
model::FunctionSchema DecodeFunction(const milvus::proto::schema::FunctionSchema& from);
/// As describe shows it: without the dynamic field.
void EncodeSchema(const model::CollectionInfo& info, milvus::proto::schema::CollectionSchema* to);

std::vector<model::KeyValue> DecodePairs(const KeyValuePairs& from);
void EncodePairs(const std::vector<model::KeyValue>& from, KeyValuePairs* to);
/// A collection's properties as clients see them: with those that say what the server itself knows.
std::vector<model::KeyValue> ShownProperties(const model::CollectionInfo& info);

Result<model::Scalar> DecodeTemplate(const milvus::proto::schema::TemplateValue& from);
/// Those of a request, by name; `from` is a map of protobuf's.
template <class Map>
Result<std::map<std::string, model::Scalar>> DecodeTemplates(const Map& from) {
  std::map<std::string, model::Scalar> templates;
  for (const auto& [name, value] : from) {
    TRY_ASSIGN(model::Scalar scalar, DecodeTemplate(value));
    templates.emplace(name, std::move(scalar));
  }
  return templates;
}

}  // namespace elanus::wire
