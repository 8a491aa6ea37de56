// Every vector index type, and what AUTOINDEX means.
#include <array>

#include "index/flat/flat.h"
#include "index/hnsw/hnsw.h"
#include "index/ivf/ivf.h"
#include "index/vector_index.h"

namespace elanus::index {

std::span<const IndexType* const> AllTypes() {
  static const std::array kTypes = {&FlatType(),   &IvfFlatType(),   &IvfSq8Type(),
                                    &IvfPqType(),  &IvfRabitqType(), &HnswType(),
                                    &HnswSqType(), &HnswPqType(),    &HnswPrqType()};
  return kTypes;
}

const IndexType* FindType(std::string_view name) {
  for (const IndexType* type : AllTypes()) {
    if (type->name == name) return type;
  }
  return nullptr;
}

AutoChoice ResolveAutoIndex() {
  return {.type = &HnswType(), .params = {{"M", "18"}, {"efConstruction", "240"}}};
}

}  // namespace elanus::index
