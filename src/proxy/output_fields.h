// Which fields an answer carries, and how the dynamic field is cut to what was asked for.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "model/column.h"
#include "model/schema.h"

namespace elanus::proxy {

struct OutputFields {
  std::vector<FieldId> ids;               // To read from the shards.
  std::vector<std::string> names;         // As the answer lists them.
  std::vector<std::string> dynamic_keys;  // Of the dynamic field; empty: whole.
  bool has_primary_key = false;           // Named, or by "*".
};

/// Names, "*", dynamic keys, "$meta" and "$meta[\"key\"]"; structs, whole or a sub-field as
/// "struct[sub]", either listed as the struct. kInvalidParameter for others.
Result<OutputFields> ResolveOutput(const model::CollectionSchema& schema,
                                   const std::vector<std::string>& wanted);
/// Cuts the objects of the dynamic column to the wanted keys.
void CutDynamic(const OutputFields& output, model::Column& column);

}  // namespace elanus::proxy
