// The rules of AUTOINDEX.
#include "index/auto_index.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "index/binary/flat.h"
#include "index/binary/ivf.h"
#include "index/binary/min_hash_lsh.h"
#include "index/diskann/diskann.h"
#include "index/hnsw/hnsw.h"
#include "index/ivf/ivf.h"
#include "index/sparse/sparse.h"

namespace elanus::index {
namespace {

using Texts = std::map<std::string, std::string>;

// 65,536 rows of 512 bits are scanned in 0.2 ms, and a scan misses none.
constexpr uint64_t kScannedBinaryRows = 65'536;
constexpr uint64_t kBinaryLists = 1024;
constexpr uint64_t kUsualRows = 1'000'000;  // Of a segment, while nothing is known.

// The power of two next to 4 sqrt(rows): rows a list and lists to compare with grow alike.
std::string ListsFor(uint64_t rows) {
  constexpr double kFewest = 16;
  constexpr double kMost = 65536;
  const double lists = std::clamp(4 * std::sqrt(static_cast<double>(rows)), kFewest, kMost);
  return std::to_string(std::bit_floor(static_cast<uint64_t>(lists)));
}

bool Fits(const AutoChoice& choice, const AutoRequest& request) {
  if (request.memory_bytes == 0) return true;
  const auto params = ParseParams(choice.type->params, Phase::kBuild, choice.params);
  CHECK(params.ok());
  const RowShape shape{.rows = std::max(request.rows, request.field_rows),
                       .dim = request.dim,
                       .element = request.element,
                       .metric = request.metric};
  return choice.type->EstimateMemory(shape, *params) <= request.memory_bytes;
}

// The fastest first, the least memory last.
std::vector<AutoChoice> DenseChoices(const AutoRequest& request) {
  Texts graph = {{"M", "18"}, {"efConstruction", "240"}};
  const Texts lists = {{"nlist", ListsFor(request.rows == 0 ? kUsualRows : request.rows)},
                       {"refine", "true"}};
  if (request.element == ElementType::kInt8) {  // Has one byte a dimension already.
    Texts coarse = lists;
    coarse.insert({{"sq_type", "SQ4"}, {"refine_type", "fp32"}});
    return {{.type = &HnswType(), .params = graph}, {.type = &IvfSq8Type(), .params = coarse}};
  }
  // One byte a dimension walks twice as fast as four and loses nothing once the segment's own
  // vectors refine (docs/design/04-codes.md).
  graph.insert({{"sq_type", "SQ8"}, {"refine", "true"}});
  Texts half = graph;
  half["sq_type"] = "SQ4U";
  Texts bits = lists;
  bits["refine_type"] = "fp32";
  return {{.type = &HnswSqType(), .params = graph},
          {.type = &HnswSqType(), .params = half},
          {.type = &IvfRabitqType(), .params = bits},
          {.type = &AisaqType(), .params = {}}};
}

}  // namespace

AutoChoice ChooseAutoIndex(const AutoRequest& request) {
  switch (KindOf(request.element)) {
    case VectorKind::kBinary:
      if (request.metric == model::Metric::kMinHashJaccard) {
        return {.type = &MinHashLshType(), .params = {}};
      }
      if (request.rows > 0 && request.rows <= kScannedBinaryRows) {
        return {.type = &BinFlatType(), .params = {}};
      }
      return {.type = &BinIvfFlatType(), .params = {{"nlist", std::to_string(kBinaryLists)}}};
    case VectorKind::kSparse:
      return {.type = &SparseInvertedType(), .params = {}};
    case VectorKind::kDense:
      break;
  }
  std::vector<AutoChoice> choices = DenseChoices(request);
  const auto fits = std::find_if(choices.begin(), choices.end(),
                                 [&](const AutoChoice& choice) { return Fits(choice, request); });
  return fits == choices.end() ? std::move(choices.back()) : std::move(*fits);
}

AutoChoice ResolveAutoIndex(ElementType element, model::Metric metric) {
  return ChooseAutoIndex({.element = element, .metric = metric});
}

}  // namespace elanus::index
