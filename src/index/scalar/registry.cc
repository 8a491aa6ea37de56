// Every scalar index type, and what AUTOINDEX means.
#include <array>

#include "index/scalar/scalar_types.h"

namespace elanus::index {

std::span<const ScalarIndexType* const> AllScalarTypes() {
  static const std::array kTypes = {&SortedType(), &InvertedType(), &BitmapType(), &TrieType(),
                                    &NgramType(),  &RTreeType(),    &HybridType(), &WordsType()};
  return kTypes;
}

const ScalarIndexType* FindScalarType(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"TRIE", "Trie"}, {"MARISA-TRIE", "Trie"}, {"SORTED", "STL_SORT"}};
  for (const auto& [alias, meant] : kAliases) {
    if (name == alias) name = meant;
  }
  for (const ScalarIndexType* type : AllScalarTypes()) {
    if (type->name == name) return type;
  }
  return nullptr;
}

const ScalarIndexType* ResolveScalarAutoIndex(const ScalarShape& shape) {
  // There is nothing to choose by.
  if (shape.type == model::DataType::kBool && !shape.is_json_path) return &BitmapType();
  if (shape.type == model::DataType::kTimestamptz) return &SortedType();
  for (const ScalarIndexType* type : {&HybridType(), &RTreeType()}) {
    if (type->Supports(shape)) return type;
  }
  return nullptr;
}

const ScalarIndexType* TypeOfFile(std::string_view bytes) {
  for (const ScalarIndexType* type : AllScalarTypes()) {
    if (!type->magic.empty() && bytes.starts_with(type->magic)) return type;
  }
  return bytes.starts_with(JsonTermsType().magic) ? &JsonTermsType() : nullptr;
}

Result<std::unique_ptr<ScalarIndex>> OpenScalarIndex(Blob file) {
  if (const ScalarIndexType* type = TypeOfFile(file.bytes())) return type->Open(std::move(file));
  return Status(ErrorCode::kIntegrity,
                "offset 0: the file is no scalar index. Restore it from a copy, or drop the index "
                "and build it again");
}

}  // namespace elanus::index
