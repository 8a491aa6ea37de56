// Look-ups in a schema.
#include "model/schema.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace elanus::model {

const std::string* Find(const std::vector<KeyValue>& list, std::string_view key) {
  for (const KeyValue& kv : list) {
    if (kv.key == key) return &kv.value;
  }
  return nullptr;
}

void Put(std::vector<KeyValue>& list, std::string_view key, std::string value) {
  for (KeyValue& kv : list) {
    if (kv.key == key) {
      kv.value = std::move(value);
      return;
    }
  }
  list.push_back({std::string(key), std::move(value)});
}

uint32_t FieldSchema::Number(std::string_view key) const {
  const std::string* text = Find(type_params, key);
  uint32_t number = 0;
  if (text != nullptr) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::string SubFieldName(std::string_view struct_name, std::string_view bare_name) {
  std::string name(struct_name);
  name += '[';
  name += bare_name;
  name += ']';
  return name;
}

std::string_view StructName(std::string_view name) {
  if (!name.ends_with(']')) return {};
  const size_t bracket = name.find('[');
  return bracket == std::string_view::npos ? std::string_view() : name.substr(0, bracket);
}

std::string_view SubName(std::string_view name) {
  if (!name.ends_with(']')) return {};
  const size_t bracket = name.find('[');
  if (bracket == std::string_view::npos) return {};
  return name.substr(bracket + 1, name.size() - bracket - 2);
}

FieldSchema DynamicField() {
  FieldSchema field;
  field.name = kDynamicFieldName;
  field.type = DataType::kJson;
  field.is_dynamic = true;
  return field;
}

const StructSchema* CollectionSchema::FindStruct(std::string_view struct_name) const {
  for (const StructSchema& known : structs) {
    if (known.name == struct_name) return &known;
  }
  return nullptr;
}

const FieldSchema* CollectionSchema::FindField(std::string_view field_name) const {
  for (const FieldSchema& field : fields) {
    if (field.name == field_name) return &field;
  }
  return nullptr;
}

const FieldSchema* CollectionSchema::FindField(FieldId id) const {
  for (const FieldSchema& field : fields) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const FieldSchema& CollectionSchema::primary_key() const {
  for (const FieldSchema& field : fields) {
    if (field.is_primary_key) return field;
  }
  CHECK(false && "a validated schema has a primary key");
}

const FunctionSchema* CollectionSchema::FunctionOf(const FieldSchema& output) const {
  for (const FunctionSchema& function : functions) {
    for (const std::string& name : function.outputs) {
      if (name == output.name) return &function;
    }
  }
  return nullptr;
}

bool CollectionSchema::IsBm25Output(const FieldSchema& field) const {
  const FunctionSchema* function = field.is_function_output ? FunctionOf(field) : nullptr;
  return function != nullptr && function->type == FunctionType::kBm25;
}

const FieldSchema* CollectionSchema::dynamic_field() const {
  for (const FieldSchema& field : fields) {
    if (field.is_dynamic) return &field;
  }
  return nullptr;
}

const FieldSchema* CollectionSchema::partition_key() const {
  for (const FieldSchema& field : fields) {
    if (field.is_partition_key) return &field;
  }
  return nullptr;
}

int64_t CollectionSchema::highest_field_id() const {
  int64_t highest = std::max(max_field_id, kFirstUserFieldId - 1);
  for (const FieldSchema& field : fields) highest = std::max(highest, field.id.value());
  for (const StructSchema& known : structs) highest = std::max(highest, known.id.value());
  return highest;
}

}  // namespace elanus::model
