// Parts of requests and answers that several services have alike.
#include "functions/providers/body.h"

namespace elanus::functions {

using nlohmann::json;

Result<std::string> Needed(const ModelSetup& setup, std::string_view key) {
  const std::string* value = setup.Find(key);
  if (value == nullptr || value->empty()) {
    return Error(ErrorCode::kMissingParameter, "{} lost params: {}", setup.provider, key);
  }
  return *value;
}

json ListOf(Texts texts) {
  json list = json::array();
  for (std::string_view text : texts) list.push_back(std::string(text));
  return list;
}

Status CopyBool(const ModelSetup& setup, std::string_view key, json& to, const char* name) {
  TRY_ASSIGN(const std::optional<bool> value, setup.Bool(key));
  if (value) to[name] = *value;
  return {};
}

Status CopyDirection(const ModelSetup& setup, json& to) {
  if (setup.Find("truncation_direction") == nullptr) return {};
  TRY_ASSIGN(to["truncation_direction"],
             setup.Choice("truncation_direction", "Left|Right", "Right"));
  return {};
}

const json* At(const json& value, std::initializer_list<const char*> path) {
  const json* at = &value;
  for (const char* name : path) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(name);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

bool InOrder(const json* items, const char* index, const char* value,
             std::vector<const json*>& values) {
  if (items == nullptr || !items->is_array()) return false;
  values.assign(items->size(), nullptr);
  size_t next = 0;
  for (const json& item : *items) {
    size_t place = next++;
    if (const json* given = At(item, {index})) {
      if (!given->is_number_unsigned()) return false;
      place = given->get<size_t>();
    }
    if (place >= values.size() || values[place] != nullptr) return false;
    values[place] = At(item, {value});
    if (values[place] == nullptr) return false;
  }
  return true;
}

bool AsTheyCome(const json* items, std::vector<const json*>& values) {
  if (items == nullptr || !items->is_array()) return false;
  for (const json& item : *items) values.push_back(&item);
  return true;
}

}  // namespace elanus::functions
