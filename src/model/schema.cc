// Look-ups in a schema.
#include "model/schema.h"

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

const FieldSchema* CollectionSchema::dynamic_field() const {
  for (const FieldSchema& field : fields) {
    if (field.is_dynamic) return &field;
  }
  return nullptr;
}

}  // namespace elanus::model
