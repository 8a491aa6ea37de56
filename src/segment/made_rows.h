// Rows of a field that came without it: what a function makes of their texts, where one does.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "model/column.h"
#include "model/schema.h"

namespace elanus::segment {

/// The rows in question as another field has them; an empty view: they have no such field.
using ReadField = std::function<model::ColumnView(FieldId)>;

/// The rows of `field`, `rows` of them, by its BM25 or MinHash function. A text that the rows lack
/// counts as its default. Nothing: no such function makes the field, or it cannot be set up on this
/// machine, which is logged.
std::optional<model::Column> MakeRows(const model::CollectionSchema& schema,
                                      const model::FieldSchema& field, size_t rows,
                                      const ReadField& read);

/// The same, or filler. Adds the field to `unmade` when a function should have made it.
model::Column MakeOrFillRows(const model::CollectionSchema& schema, const model::FieldSchema& field,
                             size_t rows, const ReadField& read, std::vector<FieldId>& unmade);

}  // namespace elanus::segment
