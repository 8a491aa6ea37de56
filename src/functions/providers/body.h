// What bodies of requests to model services have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "functions/providers/embedding.h"

namespace elanus::functions {

nlohmann::json ListOf(Texts texts);
/// A parameter of the function under the name that the service has for it; nothing where it is not
/// given. kInvalidParameter: neither true nor false.
Status CopyBool(const ModelSetup& setup, std::string_view key, nlohmann::json& to,
                const char* name);
/// `truncation_direction`, likewise: Left or Right.
Status CopyDirection(const ModelSetup& setup, nlohmann::json& to);

/// The row of a table of providers with this name in lower case, or null.
template <class Provider, size_t kCount>
const Provider* FindIn(const Provider (&providers)[kCount], std::string_view name) {
  for (const Provider& provider : providers) {
    if (provider.place.name == name) return &provider;
  }
  return nullptr;
}

}  // namespace elanus::functions
