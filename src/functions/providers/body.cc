// Parts of requests that several services want alike.
#include "functions/providers/body.h"

namespace elanus::functions {

nlohmann::json ListOf(Texts texts) {
  nlohmann::json list = nlohmann::json::array();
  for (std::string_view text : texts) list.push_back(std::string(text));
  return list;
}

Status CopyBool(const ModelSetup& setup, std::string_view key, nlohmann::json& to,
                const char* name) {
  TRY_ASSIGN(const std::optional<bool> value, setup.Bool(key));
  if (value) to[name] = *value;
  return {};
}

Status CopyDirection(const ModelSetup& setup, nlohmann::json& to) {
  if (setup.Find("truncation_direction") == nullptr) return {};
  TRY_ASSIGN(to["truncation_direction"],
             setup.Choice("truncation_direction", "Left|Right", "Right"));
  return {};
}

}  // namespace elanus::functions
