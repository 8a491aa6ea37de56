// Every vector index type, and what AUTOINDEX means.
#include <array>
#include <utility>

#include "index/diskann/diskann.h"
#include "index/flat/flat.h"
#include "index/hnsw/hnsw.h"
#include "index/ivf/ivf.h"
#include "index/vector_index.h"

namespace elanus::index {

std::span<const IndexType* const> AllTypes() {
  static const std::array kTypes = {&FlatType(),      &IvfFlatType(), &IvfSq8Type(), &IvfPqType(),
                                    &IvfRabitqType(), &ScannType(),   &HnswType(),   &HnswSqType(),
                                    &HnswPqType(),    &HnswPrqType(), &DiskAnnType()};
  return kTypes;
}

const IndexType* FindType(std::string_view name) {
  // Names of older clients.
  static constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"IVFFLAT", "IVF_FLAT"}, {"IVF_SQ", "IVF_SQ8"}, {"IVFSQ", "IVF_SQ8"}, {"IVFPQ", "IVF_PQ"}};
  for (const auto& [alias, meant] : kAliases) {
    if (name == alias) name = meant;
  }
  for (const IndexType* type : AllTypes()) {
    if (type->name == name) return type;
  }
  return nullptr;
}

// One byte a dimension walks twice as fast as four and loses nothing once the segment's own vectors
// refine (docs/design/04-codes.md).
AutoChoice ResolveAutoIndex() {
  return {
      .type = &HnswSqType(),
      .params = {{"M", "18"}, {"efConstruction", "240"}, {"sq_type", "SQ8"}, {"refine", "true"}}};
}

}  // namespace elanus::index
