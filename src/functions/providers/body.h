// What requests to model services have in common, and what their answers have.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "functions/setup.h"
#include "functions/texts.h"

namespace elanus::functions {

/// A parameter that the provider cannot do without. kMissingParameter: not given or empty.
Result<std::string> Needed(const ModelSetup& setup, std::string_view key);

nlohmann::json ListOf(Texts texts);
/// A parameter of the function under the name that the service has for it; nothing where it is not
/// given. kInvalidParameter: neither true nor false.
Status CopyBool(const ModelSetup& setup, std::string_view key, nlohmann::json& to,
                const char* name);
/// `truncation_direction`, likewise: Left or Right.
Status CopyDirection(const ModelSetup& setup, nlohmann::json& to);

/// The value at a path of member names, or null.
const nlohmann::json* At(const nlohmann::json& value, std::initializer_list<const char*> path);
/// Member `value` of each of `items`, put in the order of their member `index`, or as they come
/// where they have none. False when the answer does not look like that.
bool InOrder(const nlohmann::json* items, const char* index, const char* value,
             std::vector<const nlohmann::json*>& values);
/// Each of `items`; false when they are no list.
bool AsTheyCome(const nlohmann::json* items, std::vector<const nlohmann::json*>& values);

/// The row of a table of providers with this name in lower case, or null.
template <class Provider, size_t kCount>
const Provider* FindIn(const Provider (&providers)[kCount], std::string_view name) {
  for (const Provider& provider : providers) {
    if (provider.place.name == name) return &provider;
  }
  return nullptr;
}

}  // namespace elanus::functions
