// Fields that old rows lack.
#include "model/back_fill.h"

#include <algorithm>

namespace elanus::model {

const FunctionSchema* TextFunctionOf(const CollectionSchema& schema, const FieldSchema& field) {
  if (!field.is_function_output) return nullptr;
  const FunctionSchema* function = schema.FunctionOf(field);
  if (function == nullptr) return nullptr;
  const bool takes_text =
      function->type == FunctionType::kBm25 || function->type == FunctionType::kMinHash;
  return takes_text ? function : nullptr;
}

std::vector<FieldId> FieldsToFill(const CollectionSchema& schema, const SegmentInfo& segment) {
  std::vector<FieldId> lacking;
  for (const FieldSchema& field : schema.fields) {
    if (TextFunctionOf(schema, field) == nullptr) continue;
    const auto& written = segment.fields;
    if (std::find(written.begin(), written.end(), field.id) == written.end()) {
      lacking.push_back(field.id);
    }
  }
  return lacking;
}

}  // namespace elanus::model
