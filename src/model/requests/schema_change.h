// What a client wants changed in the schema of a collection that lives, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/requests/collection.h"

namespace elanus::model {

/// A struct with its sub-fields, ids unset.
struct NewStruct {
  StructSchema info;
  std::vector<FieldSchema> fields;
};

/// A field with the function that fills it, ids unset, and its index.
struct NewFunctionField {
  FieldSchema field;
  FunctionSchema function;
  std::string index_name;              // As in CreateIndexRequest.
  std::vector<KeyValue> index_params;  // As CreateIndexRequest::extra_params.
};

/// A field or struct by its name or id, or else a function.
struct SchemaDrop {
  std::string field;
  int64_t field_id = 0;
  std::string function;
  bool with_outputs = false;  // The fields that the function fills go too.
};

/// Parameters of a field or index: set some or remove some.
struct ParamChange {
  std::vector<KeyValue> set;
  std::vector<std::string> remove;
};

}  // namespace elanus::model
