// Vectors of a request as their field wants them: rows of a write and queries of a search alike.
#pragma once

#include "base/status.h"
#include "model/column.h"
#include "model/schema.h"

namespace elanus::proxy {

/// Turns float32 vectors for a half-precision field into the field's type; others stay as they are.
/// Values must be finite, and be so afterwards. Any number of values may be in `column.data`.
/// Errors: kInvalidParameter, naming the field.
Status ConvertToField(const model::FieldSchema& field, model::Column& column);

/// Values of floating vectors are finite, sparse rows keep their rules (model::CheckSparseRow).
/// Errors: kInvalidParameter, naming the field.
Status CheckVectorValues(const model::FieldSchema& field, const model::Column& column);

/// Gives the null rows of a dense column, which had no bytes so far, their zeros.
void SpreadNulls(model::Column& column);

/// True when every one of `count` numbers is finite.
template <class T>
bool AllFinite(const T* values, size_t count) {
  // The difference with itself is 0 for finite values only; a sum stays vectorisable.
  T poison = 0;
  for (size_t i = 0; i < count; ++i) poison += values[i] - values[i];
  return poison == 0;
}

}  // namespace elanus::proxy
