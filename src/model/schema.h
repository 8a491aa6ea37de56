// What a collection looks like: its fields, their types and rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/timestamp.h"
#include "model/data_type.h"
#include "model/scalar.h"

namespace elanus::model {

inline constexpr std::string_view kDynamicFieldName = "$meta";
inline constexpr std::string_view kDefaultPartition = "_default";
inline constexpr std::string_view kDefaultDatabase = "default";
inline constexpr int64_t kFirstUserFieldId = 100;

struct KeyValue {
  std::string key;
  std::string value;
  bool operator==(const KeyValue&) const = default;
  template <class V>
  void Fields(V& v) {
    v(1, "key", key);
    v(2, "value", value);
  }
};

/// The value of `key`, or null.
const std::string* Find(const std::vector<KeyValue>& list, std::string_view key);
/// Sets `key`, adding it when it is not there.
void Put(std::vector<KeyValue>& list, std::string_view key, std::string value);

/// The stored name of a struct's sub-field, "struct[sub]". No other field's name has brackets.
std::string SubFieldName(std::string_view struct_name, std::string_view bare_name);
/// The parts of such a name; empty for others.
std::string_view StructName(std::string_view name);
std::string_view SubName(std::string_view name);

struct FieldSchema {
  FieldId id;
  std::string name;
  std::string description;
  DataType type = DataType::kNone;
  DataType element_type = DataType::kNone;  // Of an Array or ArrayOfVector.
  bool is_primary_key = false;
  bool auto_id = false;
  bool is_dynamic = false;
  bool nullable = false;
  bool is_partition_key = false;
  bool is_clustering_key = false;
  bool is_function_output = false;    // The server fills it.
  std::vector<KeyValue> type_params;  // As the user sent them: dim, max_length, max_capacity, ...
  std::optional<Scalar> default_value;
  std::string struct_name;  // Of a sub-field of a struct, whose `name` is "struct[sub]".

  bool operator==(const FieldSchema&) const = default;

  bool is_sub_field() const { return !struct_name.empty(); }
  /// The name inside the struct; of other fields the name.
  std::string_view bare_name() const { return is_sub_field() ? SubName(name) : name; }
  /// The type of the vectors that the field holds, one or a list a row; kNone without any.
  DataType vector_type() const {
    if (type == DataType::kArrayOfVector) return element_type;
    return IsVector(type) ? type : DataType::kNone;
  }

  /// Type parameters as numbers; 0 when absent. Valid once the schema has been validated.
  uint32_t dim() const { return Number("dim"); }
  uint32_t max_length() const { return Number("max_length"); }
  uint32_t max_capacity() const { return Number("max_capacity"); }

  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "name", name);
    v(3, "description", description);
    v(4, "type", type);
    v(5, "element_type", element_type);
    v(6, "is_primary_key", is_primary_key);
    v(7, "auto_id", auto_id);
    v(8, "is_dynamic", is_dynamic);
    v(9, "nullable", nullable);
    v(10, "is_partition_key", is_partition_key);
    v(11, "is_clustering_key", is_clustering_key);
    v(12, "type_params", type_params);
    v(13, "default_value", default_value);
    v(14, "struct_name", struct_name);
    v(15, "is_function_output", is_function_output);
  }

 private:
  uint32_t Number(std::string_view key) const;
};

/// A field whose rows are arrays of structs. Its sub-fields stand among the collection's fields, as
/// Array and ArrayOfVector fields of one length a row.
struct StructSchema {
  FieldId id;
  std::string name;
  std::string description;
  bool nullable = false;  // So are its sub-fields then, all of a row at once.
  std::vector<KeyValue> type_params;

  bool operator==(const StructSchema&) const = default;

  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "name", name);
    v(3, "description", description);
    v(4, "nullable", nullable);
    v(5, "type_params", type_params);
  }
};

/// $meta, without an id.
FieldSchema DynamicField();

enum class FunctionType : int32_t {
  kUnknown = 0,
  kBm25 = 1,
  kTextEmbedding = 2,
  kRerank = 3,
  kMinHash = 4,
  kMolFingerprint = 5,
};

/// How fields are made from others when rows are written.
struct FunctionSchema {
  int64_t id = 0;
  std::string name;
  std::string description;
  FunctionType type = FunctionType::kUnknown;
  std::vector<std::string> inputs;   // Names of fields.
  std::vector<std::string> outputs;  // As inputs.
  std::vector<KeyValue> params;

  bool operator==(const FunctionSchema&) const = default;

  template <class V>
  void Fields(V& v) {
    v(1, "id", id);
    v(2, "name", name);
    v(3, "description", description);
    v(4, "type", type);
    v(5, "inputs", inputs);
    v(6, "outputs", outputs);
    v(7, "params", params);
  }
};

struct CollectionSchema {
  std::string name;
  std::string description;
  bool enable_dynamic_field = false;
  std::vector<FieldSchema> fields;  // Sub-fields behind the others, struct by struct; $meta last.
  int32_t version = 0;              // Counts schema changes.
  std::vector<StructSchema> structs;
  std::vector<FunctionSchema> functions;
  int64_t max_field_id = 0;  // Of every field there has been; 0: none was ever dropped.

  bool operator==(const CollectionSchema&) const = default;

  const FieldSchema* FindField(std::string_view field_name) const;
  const FieldSchema* FindField(FieldId id) const;
  const StructSchema* FindStruct(std::string_view struct_name) const;
  /// Every validated schema has one.
  const FieldSchema& primary_key() const;
  /// The function that makes the field, or null.
  const FunctionSchema* FunctionOf(const FieldSchema& output) const;
  /// Whether the field holds the term counts of a text.
  bool IsBm25Output(const FieldSchema& field) const;
  /// The $meta field, or null.
  const FieldSchema* dynamic_field() const;
  /// The field whose value decides the partition of a row, or null.
  const FieldSchema* partition_key() const;
  /// The highest id that a field or struct has or has had.
  int64_t highest_field_id() const;

  template <class V>
  void Fields(V& v) {
    v(1, "name", name);
    v(2, "description", description);
    v(3, "enable_dynamic_field", enable_dynamic_field);
    v(4, "fields", fields);
    v(5, "version", version);
    v(6, "structs", structs);
    v(7, "functions", functions);
    v(8, "max_field_id", max_field_id);
  }
};

}  // namespace elanus::model
