// The names of binary metrics, every type of index over binary vectors, and what AUTOINDEX means
// for them.
#include <algorithm>
#include <array>

#include "index/binary/flat.h"
#include "index/binary/graph.h"
#include "index/binary/ivf.h"
#include "index/binary/min_hash_lsh.h"
#include "index/binary_index.h"

namespace elanus::index {
namespace {

// In the order of BinaryMetric.
constexpr std::array<std::string_view, 5> kMetricNames = {"HAMMING", "JACCARD", "SUBSTRUCTURE",
                                                          "SUPERSTRUCTURE", "MHJACCARD"};

}  // namespace

std::string_view NameOf(BinaryMetric metric) { return kMetricNames[static_cast<size_t>(metric)]; }

std::optional<BinaryMetric> BinaryMetricOf(std::string_view name) {
  const auto found = std::find(kMetricNames.begin(), kMetricNames.end(), name);
  if (found == kMetricNames.end()) return std::nullopt;
  return static_cast<BinaryMetric>(found - kMetricNames.begin());
}

bool BinaryIndexType::Takes(BinaryMetric metric) const {
  return std::find(metrics.begin(), metrics.end(), metric) != metrics.end();
}

std::span<const BinaryIndexType* const> AllBinaryTypes() {
  static const std::array kTypes = {&BinFlatType(), &BinIvfFlatType(), &MinHashLshType(),
                                    &BinaryHnswType()};
  return kTypes;
}

const BinaryIndexType* FindBinaryType(std::string_view name) {
  for (const BinaryIndexType* type : AllBinaryTypes()) {
    if (type->name == name) return type;
  }
  return nullptr;
}

BinaryAutoChoice ResolveBinaryAutoIndex(BinaryMetric metric) {
  if (metric == BinaryMetric::kMinHashJaccard) return {.type = &MinHashLshType(), .params = {}};
  return {.type = &BinIvfFlatType(), .params = {{"nlist", "1024"}}};
}

}  // namespace elanus::index
