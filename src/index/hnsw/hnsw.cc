// The graph index types: what each keeps of a vector, and their parameters.
#include "index/hnsw/hnsw.h"

#include <array>

#include "index/codes/additive_codec.h"
#include "index/codes/choices.h"
#include "index/flat/exact.h"
#include "index/hnsw/builder.h"
#include "index/hnsw/file.h"
#include "index/hnsw/search.h"

namespace elanus::index {
namespace {

constexpr int64_t kDefaultM = 30;
constexpr int64_t kDefaultEfConstruction = 360;

// Makes the codec of one type from its parameters.
using MakeCodec = Result<std::unique_ptr<Codec>> (*)(Context&, VectorBlock, bool is_l2,
                                                     const Params&, Pool*);

Result<std::string> BuildGraph(Context& ctx, VectorBlock rows, model::Metric metric,
                               const Params& build, const BuildOptions& options, MakeCodec make) {
  if (rows.rows >= (1u << 31)) return Invalid("HNSW holds fewer than 2^31 rows, got {}", rows.rows);
  std::vector<float> normalised;
  if (metric == model::Metric::kCosine) {
    normalised = Normalised(rows);
    rows.data = normalised.data();
  }
  const bool is_l2 = metric == model::Metric::kL2;
  const auto m = static_cast<uint32_t>(build.GetInt("M", kDefaultM));
  GraphCodes codes;
  TRY_ASSIGN(codes.codec, make(ctx, rows, is_l2, build, options.pool));
  codes.refine_kind = RefineKind(build);
  if (codes.refine_kind != CodeKind::kNone && codes.refine_kind != CodeKind::kFloat32) {
    codes.refine = TrainCodec(codes.refine_kind, rows, is_l2);
  }
  HnswBuilder builder(
      rows.row(0), static_cast<uint32_t>(rows.rows), rows.dim, is_l2, m,
      static_cast<uint32_t>(build.GetInt("efConstruction", kDefaultEfConstruction)));
  TRY(builder.Build(ctx, options));
  TRY_ASSIGN(std::string file, WriteGraph(ctx, builder, rows, codes, m, options.pool));
  if (options.on_progress) options.on_progress(1.0);
  return file;
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedGraph graph, OpenGraph(std::move(file), rows, metric == model::Metric::kL2));
  return MakeGraphIndex(std::move(graph), rows, metric);
}

size_t EstimateGraph(uint64_t rows, const Params& build, size_t code_bytes) {
  const auto m = static_cast<uint64_t>(build.GetInt("M", kDefaultM));
  return GraphLayout({.nodes = rows, .m = m, .upper_slots = rows / m + 1, .code_bytes = code_bytes})
      .end;
}

constexpr ParamSpec kMSpec{.name = "M",
                           .phase = Phase::kBuild,
                           .kind = ParamKind::kInteger,
                           .default_value = kDefaultM,
                           .min = 2,
                           .max = 2048,
                           .help = "Links a node (twice as many on level 0)."};
constexpr ParamSpec kEfConstructionSpec{.name = "efConstruction",
                                        .phase = Phase::kBuild,
                                        .kind = ParamKind::kInteger,
                                        .default_value = kDefaultEfConstruction,
                                        .min = 1,
                                        .max = 2147483647,
                                        .help = "Breadth of the search while building."};
constexpr ParamSpec kEfSpec{.name = "ef",
                            .phase = Phase::kSearch,
                            .kind = ParamKind::kInteger,
                            .default_value = 64,
                            .min = 1,
                            .max = 2147483647,
                            .help = "Breadth of a search; at least k. Default max(k, 64)."};

}  // namespace

const IndexType& HnswType() {
  static constexpr auto kParams =
      std::to_array<ParamSpec>({kMSpec,
                                kEfConstructionSpec,
                                kEfSpec,
                                {"refine", Phase::kBuild, ParamKind::kBool, 0, 0, 1,
                                 "Not for HNSW, which keeps whole vectors: true is refused."}});
  static const IndexType kType{
      .name = "HNSW",
      .params = kParams,
      .Check = [](uint32_t, const Params& build) -> Status {
        if (!build.GetBool("refine", false)) return {};
        return Invalid("refine is not for HNSW, which keeps whole vectors; it is for HNSW_SQ");
      },
      .EstimateMemory =
          [](uint64_t rows, uint32_t dim, const Params& build) {
            return EstimateGraph(rows, build, EstimateRowBytes(CodeKind::kFloat32, dim));
          },
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            return BuildGraph(ctx, rows, metric, build, options,
                              [](Context&, VectorBlock vectors, bool is_l2, const Params&,
                                 Pool*) -> Result<std::unique_ptr<Codec>> {
                                return TrainCodec(CodeKind::kFloat32, vectors, is_l2);
                              });
          },
      .Open = Open};
  return kType;
}

const IndexType& HnswSqType() {
  static constexpr auto kParams =
      std::to_array<ParamSpec>({kMSpec, kEfConstructionSpec, kScalarTypeSpec, kRefineSpec,
                                kRefineTypeSpec, kEfSpec, kRefineKSpec});
  static const IndexType kType{
      .name = "HNSW_SQ",
      .params = kParams,
      .EstimateMemory =
          [](uint64_t rows, uint32_t dim, const Params& build) {
            return EstimateGraph(rows, build, EstimateRowBytes(ScalarKind(build), dim));
          },
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            return BuildGraph(ctx, rows, metric, build, options,
                              [](Context&, VectorBlock vectors, bool is_l2, const Params& params,
                                 Pool*) -> Result<std::unique_ptr<Codec>> {
                                return TrainCodec(ScalarKind(params), vectors, is_l2);
                              });
          },
      .Open = Open};
  return kType;
}

namespace {

AdditiveShape PqShape(const Params& build) {
  return {.spaces = static_cast<uint32_t>(build.GetInt("m", 32)),
          .layers = 1,
          .bits = static_cast<uint32_t>(build.GetInt("nbits", 8))};
}
AdditiveShape PrqShape(const Params& build) {
  return {.spaces = static_cast<uint32_t>(build.GetInt("m", 2)),
          .layers = static_cast<uint32_t>(build.GetInt("nrq", 2)),
          .bits = static_cast<uint32_t>(build.GetInt("nbits", 8))};
}

template <AdditiveShape (*kShape)(const Params&)>
Status CheckAdditive(uint32_t dim, const Params& build) {
  return CheckParts(dim, kShape(build).spaces);
}
template <AdditiveShape (*kShape)(const Params&)>
size_t EstimateAdditive(uint64_t rows, uint32_t, const Params& build) {
  return EstimateGraph(rows, build, AdditiveRowBytes(kShape(build)));
}
template <AdditiveShape (*kShape)(const Params&)>
Result<std::string> BuildAdditive(Context& ctx, VectorBlock rows, model::Metric metric,
                                  const Params& build, const BuildOptions& options) {
  return BuildGraph(
      ctx, rows, metric, build, options,
      [](Context& context, VectorBlock vectors, bool is_l2, const Params& params, Pool* pool) {
        return TrainAdditiveCodec(context, vectors, kShape(params), is_l2, pool);
      });
}

}  // namespace

const IndexType& HnswPqType() {
  static constexpr auto kParams = std::to_array<ParamSpec>(
      {kMSpec,
       kEfConstructionSpec,
       {"m", Phase::kBuild, ParamKind::kInteger, 32, 1, 65536, "Parts of a vector; divides dim."},
       kBitsSpec,
       kRefineSpec,
       kRefineTypeSpec,
       kEfSpec,
       kRefineKSpec});
  static const IndexType kType{.name = "HNSW_PQ",
                               .params = kParams,
                               .Check = CheckAdditive<PqShape>,
                               .EstimateMemory = EstimateAdditive<PqShape>,
                               .Build = BuildAdditive<PqShape>,
                               .Open = Open};
  return kType;
}

const IndexType& HnswPrqType() {
  static constexpr auto kParams = std::to_array<ParamSpec>(
      {kMSpec,
       kEfConstructionSpec,
       {"m", Phase::kBuild, ParamKind::kInteger, 2, 1, 65536, "Parts of a vector; divides dim."},
       {"nrq", Phase::kBuild, ParamKind::kInteger, 2, 1, 16, "Residual quantisers of a part."},
       kBitsSpec,
       kRefineSpec,
       kRefineTypeSpec,
       kEfSpec,
       kRefineKSpec});
  static const IndexType kType{.name = "HNSW_PRQ",
                               .params = kParams,
                               .Check = CheckAdditive<PrqShape>,
                               .EstimateMemory = EstimateAdditive<PrqShape>,
                               .Build = BuildAdditive<PrqShape>,
                               .Open = Open};
  return kType;
}

}  // namespace elanus::index
