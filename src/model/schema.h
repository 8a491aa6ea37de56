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

struct FieldSchema {
  FieldId id;
  std::string name;
  std::string description;
  DataType type = DataType::kNone;
  DataType element_type = DataType::kNone;  // Of an Array.
  bool is_primary_key = false;
  bool auto_id = false;
  bool is_dynamic = false;
  bool nullable = false;
  bool is_partition_key = false;
  bool is_clustering_key = false;
  std::vector<KeyValue> type_params;  // As the user sent them: dim, max_length, max_capacity, ...
  std::optional<Scalar> default_value;

  bool operator==(const FieldSchema&) const = default;

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
  }

 private:
  uint32_t Number(std::string_view key) const;
};

struct CollectionSchema {
  std::string name;
  std::string description;
  bool enable_dynamic_field = false;
  std::vector<FieldSchema> fields;  // With $meta last when dynamic.
  int32_t version = 0;              // Counts schema changes.

  bool operator==(const CollectionSchema&) const = default;

  const FieldSchema* FindField(std::string_view field_name) const;
  const FieldSchema* FindField(FieldId id) const;
  /// Every validated schema has one.
  const FieldSchema& primary_key() const;
  /// The $meta field, or null.
  const FieldSchema* dynamic_field() const;

  template <class V>
  void Fields(V& v) {
    v(1, "name", name);
    v(2, "description", description);
    v(3, "enable_dynamic_field", enable_dynamic_field);
    v(4, "fields", fields);
    v(5, "version", version);
  }
};

}  // namespace elanus::model
