// Places in JSON whose texts count as the numbers they begin with, because an index casts them: so
// that rows which the index does not know are judged alike. Kept as type parameters of the JSON
// field, which users neither see nor set.
#pragma once

#include <string>
#include <string_view>

#include "model/schema.h"

namespace elanus::model {

/// The parameter of a place; `path` as in Predicate::path.
std::string TextNumberKey(std::string_view path);
bool IsTextNumberKey(std::string_view key);
/// Whether texts at `path` of a JSON field count as numbers where they are compared with some.
bool HasTextNumbers(const FieldSchema& field, std::string_view path);

}  // namespace elanus::model
