// Fields that were left out.
#include "model/left_out.h"

#include <algorithm>

namespace elanus::model {
namespace {

// A type parameter of the dynamic field, of a copy that nobody keeps.
constexpr std::string_view kKey = "left out";

}  // namespace

void NoteLeftOut(CollectionSchema& schema, std::string_view field) {
  for (FieldSchema& known : schema.fields) {
    if (known.is_dynamic) known.type_params.push_back({std::string(kKey), std::string(field)});
  }
}

bool IsLeftOut(const CollectionSchema& schema, std::string_view name) {
  const FieldSchema* dynamic = schema.dynamic_field();
  if (dynamic == nullptr) return false;
  return std::any_of(
      dynamic->type_params.begin(), dynamic->type_params.end(),
      [&](const KeyValue& param) { return param.key == kKey && param.value == name; });
}

}  // namespace elanus::model
