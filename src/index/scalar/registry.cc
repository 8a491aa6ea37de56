// Every scalar index type, and what AUTOINDEX means.
#include <array>

#include "index/scalar/scalar_types.h"

namespace elanus::index {

std::span<const ScalarIndexType* const> AllScalarTypes() {
  static const std::array kTypes = {&SortedType(), &InvertedType(), &BitmapType(), &TrieType(),
                                    &NgramType(),  &HybridType(),   &WordsType()};
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
  return HybridType().Supports(shape) ? &HybridType() : nullptr;
}

Result<std::unique_ptr<ScalarIndex>> OpenScalarIndex(Blob file) {
  for (const ScalarIndexType* type : AllScalarTypes()) {
    if (!type->magic.empty() && file.bytes().starts_with(type->magic)) {
      return type->Open(std::move(file));
    }
  }
  return Status(ErrorCode::kIntegrity,
                "offset 0: the file is no scalar index. Restore it from a copy, or drop the index "
                "and build it again");
}

}  // namespace elanus::index
