// What rows hold in a field they were written without: the default value, an empty object, or null.
#pragma once

#include "model/column.h"
#include "model/schema.h"

namespace elanus::segment {

/// `rows` rows of filler for `field`.
model::Column FillColumn(const model::FieldSchema& field, size_t rows);

}  // namespace elanus::segment
