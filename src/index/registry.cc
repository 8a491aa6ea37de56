// Every vector index type, and exact search over every kind of vectors.
#include <algorithm>
#include <array>
#include <utility>

#include "index/binary/exact.h"
#include "index/binary/flat.h"
#include "index/binary/graph.h"
#include "index/binary/ivf.h"
#include "index/binary/min_hash_lsh.h"
#include "index/diskann/diskann.h"
#include "index/embedding_list.h"
#include "index/flat/exact.h"
#include "index/flat/flat.h"
#include "index/gpu/gpu.h"
#include "index/hnsw/hnsw.h"
#include "index/ivf/ivf.h"
#include "index/sparse/sparse.h"
#include "index/stream.h"
#include "index/twin/lists.h"
#include "index/vector_index.h"

namespace elanus::index {

bool IndexType::Takes(model::Metric metric) const {
  return std::find(metrics.begin(), metrics.end(), metric) != metrics.end();
}

bool IndexType::Takes(ElementType element) const {
  return KindOf(element) == kind && (element != ElementType::kInt8 || takes_int8);
}

std::span<const model::Metric> DenseMetrics() {
  static constexpr std::array kMetrics = {model::Metric::kL2, model::Metric::kIp,
                                          model::Metric::kCosine};
  return kMetrics;
}

std::span<const IndexType* const> AllTypes() {
  static const std::array kTypes = {
      &FlatType(),          &IvfFlatType(),        &IvfSq8Type(),
      &IvfPqType(),         &IvfRabitqType(),      &ScannType(),
      &HnswType(),          &HnswSqType(),         &HnswPqType(),
      &HnswPrqType(),       &DiskAnnType(),        &AisaqType(),
      &BinFlatType(),       &BinIvfFlatType(),     &MinHashLshType(),
      &BinaryHnswType(),    &SparseInvertedType(), &SparseWandType(),
      &IvfFlatCcType(),     &ScannDvrType(),       &IvfRabitqFastScanType(),
      &GpuBruteForceType(), &GpuIvfFlatType(),     &GpuIvfPqType(),
      &GpuCagraType(),      &GpuBinaryCagraType()};
  return kTypes;
}

std::vector<const IndexType*> TypesOf(VectorKind kind) {
  std::vector<const IndexType*> types;
  for (const IndexType* type : AllTypes()) {
    if (type->kind == kind) types.push_back(type);
  }
  return types;
}

namespace {

// Names of older clients.
std::string_view Meant(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"IVFFLAT", "IVF_FLAT"}, {"IVF_SQ", "IVF_SQ8"},      {"IVFSQ", "IVF_SQ8"},
      {"IVFPQ", "IVF_PQ"},     {"IVFBIN", "BIN_IVF_FLAT"}, {"BINFLAT", "BIN_FLAT"}};
  for (const auto& [alias, meant] : kAliases) {
    if (name == alias) return meant;
  }
  return name;
}

}  // namespace

const IndexType* FindType(VectorKind kind, std::string_view name) {
  name = Meant(name);
  for (const IndexType* type : AllTypes()) {
    if (type->kind == kind && type->name == name) return type;
  }
  return nullptr;
}

bool IsTypeName(std::string_view name) {
  name = Meant(name);
  const auto types = AllTypes();
  return std::any_of(types.begin(), types.end(),
                     [&](const IndexType* type) { return type->name == name; });
}

model::Metric DefaultMetric(VectorKind kind) {
  if (kind == VectorKind::kBinary) return model::Metric::kHamming;
  return kind == VectorKind::kSparse ? model::Metric::kIp : model::Metric::kCosine;
}

std::span<const ParamSpec> ExactParams(VectorKind kind) {
  if (kind == VectorKind::kBinary) return ExactBinaryParams();
  if (kind == VectorKind::kSparse) return ExactSparseParams();
  return {};
}

Status SearchExact(Context& ctx, VectorBlock rows, model::Metric metric,
                   const SearchRequest& request, Hits hits) {
  if (model::IsMaxSim(metric)) return SearchExactLists(ctx, rows, metric, request, hits);
  switch (KindOf(rows.element)) {
    case VectorKind::kBinary:
      return SearchExactBinary(ctx, rows, metric, request, hits);
    case VectorKind::kSparse:
      return SearchExactSparse(ctx, rows, metric, request, hits);
    case VectorKind::kDense:
      break;
  }
  return ScanExact(ctx, rows, metric, nullptr, request, hits);
}

Result<std::unique_ptr<HitStream>> StreamExact(Context& ctx, VectorBlock rows, model::Metric metric,
                                               const StreamRequest& request) {
  if (model::IsMaxSim(metric)) {
    return Error(ErrorCode::kSegcoreUnsupported, "an iterator with metric {} is not supported",
                 NameOf(metric));
  }
  if (KindOf(rows.element) == VectorKind::kDense) {
    return StreamScan(ctx, rows, metric, nullptr, request);
  }
  return MakeDeepeningStream(
      [rows, metric](Context& context, const SearchRequest& deeper, Hits hits) {
        return SearchExact(context, rows, metric, deeper, hits);
      },
      rows.rows, request);
}

}  // namespace elanus::index
