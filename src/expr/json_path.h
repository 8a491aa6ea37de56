// Places in JSON columns as scalar indexes know them: how a path is named, and the column of the
// values at one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/status.h"
#include "model/column.h"
#include "model/schema.h"

namespace elanus::expr {

/// What the values at a place are cast to: a type, or Array and its elements'.
struct JsonCast {
  model::DataType type = model::DataType::kNone;
  model::DataType element_type = model::DataType::kNone;
};

/// Texts that begin with a number count as that number: DOUBLE with json_cast_function
/// STRING_TO_DOUBLE.
inline constexpr std::string_view kStringToDouble = "STRING_TO_DOUBLE";

/// BOOL, DOUBLE, VARCHAR, ARRAY_BOOL, ARRAY_DOUBLE, ARRAY_VARCHAR, kStringToDouble; none: another
/// word.
std::optional<JsonCast> JsonCastOf(std::string_view name);

/// A place as a filter writes it.
struct JsonPlace {
  FieldId field;        // Of the JSON column.
  std::string path;     // As model::Predicate::path: "/a/0", with ~0 and ~1 for ~ and /; empty: the
                        // whole document. A key of digits alone is written ~2 and the digits.
  std::string pointer;  // The JSON pointer, to show.
};

/// Reads `field["a"][0]`, a field's name, or the name of a dynamic key. Errors: kInvalidParameter.
Result<JsonPlace> ParseJsonPlace(std::string_view text, const model::CollectionSchema& schema);

/// The values at `path` (as in JsonPlace) in a JSON column, null where there is none of the type
/// that `cast_type` names. Of an array the elements of that type. Errors: kInvalidParameter for
/// another name; kCanceled.
Result<model::Column> ExtractJson(Context& ctx, const model::ColumnView& json,
                                  std::string_view path, std::string_view cast_type);

/// The JSON text of whatever is at `path`, as a VarChar column; null where there is nothing.
/// Errors: kCanceled.
Result<model::Column> ExtractJsonText(Context& ctx, const model::ColumnView& json,
                                      std::string_view path);

}  // namespace elanus::expr
