// The graph index types: what each keeps of a vector, and their parameters.
#include "index/hnsw/hnsw.h"

#include <array>

#include "index/codes/additive_codec.h"
#include "index/codes/build_bytes.h"
#include "index/codes/build_space.h"
#include "index/codes/choices.h"
#include "index/codes/keeps_order.h"
#include "index/flat/exact.h"
#include "index/hnsw/builder.h"
#include "index/hnsw/file.h"
#include "index/hnsw/search.h"

namespace elanus::index {
namespace {

constexpr int64_t kDefaultM = 30;
constexpr int64_t kDefaultEfConstruction = 360;
constexpr size_t kCodedRowsMin = 2048;
constexpr size_t kSampleRows = 65536;  // Of other elements, to train codebooks on.
// With fewer rows a scan of codes is cheap enough, and with fewer dimensions a bit of each says too
// little.
constexpr size_t kSketchedRowsMin = 8192;
constexpr uint32_t kSketchedDimMin = 64;

// What a type makes its codec of.
struct Source {
  VectorBlock rows;
  model::Metric metric;
  const Params& params;
  Pool* pool;
  bool is_l2() const { return metric == model::Metric::kL2; }
  FloatRows unit_rows() const { return {rows, metric == model::Metric::kCosine}; }
};
using MakeCodec = Result<std::unique_ptr<Codec>> (*)(Context&, const Source&);
using ChooseRefine = CodeKind (*)(const Codec&, const Params& build);

template <MakeCodec kMake, ChooseRefine kRefine>
Result<std::string> BuildGraph(Context& ctx, VectorBlock rows, model::Metric metric,
                               const Params& build, const BuildOptions& options) {
  if (rows.rows >= (1u << 31)) return Invalid("HNSW holds fewer than 2^31 rows, got {}", rows.rows);
  std::vector<float> normalised;
  if (metric == model::Metric::kCosine && rows.element == ElementType::kFloat32) {
    normalised = Normalised(rows);
    rows.data = normalised.data();
    metric = model::Metric::kIp;  // Of such rows it is the same.
  }
  const Source source{.rows = rows, .metric = metric, .params = build, .pool = options.pool};
  const auto m = static_cast<uint32_t>(build.GetInt("M", kDefaultM));
  GraphCodes codes;
  TRY_ASSIGN(codes.codec, kMake(ctx, source));
  codes.refine_kind = kRefine(*codes.codec, build);
  if (HoldsRefineCodes(codes.refine_kind)) {
    codes.refine = TrainCodec(codes.refine_kind, source.unit_rows(), source.is_l2());
  }
  if (rows.rows >= kSketchedRowsMin && rows.dim >= kSketchedDimMin) {
    TRY_ASSIGN(codes.sketches, MakeSketches(ctx, source.unit_rows(), source.is_l2(), options.pool));
    if (!codes.sketches.empty()) {
      TRY_ASSIGN(codes.cells, MakeCells(ctx, source.unit_rows(), source.is_l2(), options.pool));
    }
  }
  std::vector<int8_t> bytes;
  if (rows.element == ElementType::kFloat32 && rows.rows >= kCodedRowsMin) {
    TRY_ASSIGN(bytes, BytesToBuildOn(ctx, rows, source.is_l2()));
  }
  VectorBlock built_on = rows;
  if (!bytes.empty()) {
    built_on.data = bytes.data();
    built_on.element = ElementType::kInt8;
  }
  const BuildSpace space(built_on, metric);
  HnswBuilder builder(
      space, m, static_cast<uint32_t>(build.GetInt("efConstruction", kDefaultEfConstruction)));
  TRY(builder.Build(ctx, options));
  TRY_ASSIGN(std::string file, WriteGraph(ctx, builder, rows, metric, codes, m, options.pool));
  if (options.on_progress) options.on_progress(1.0);
  return file;
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedGraph graph, OpenGraph(std::move(file), rows, metric));
  return MakeGraphIndex(std::move(graph), rows, metric);
}

using CodeBytes = size_t (*)(const RowShape& shape, const Params& build);

template <CodeBytes kCodeBytes>
size_t EstimateGraph(const RowShape& shape, const Params& build) {
  const auto m = static_cast<uint64_t>(build.GetInt("M", kDefaultM));
  const bool is_l2 = shape.metric == model::Metric::kL2;
  const bool is_sketched = shape.rows >= kSketchedRowsMin && shape.dim >= kSketchedDimMin;
  const size_t cells = CellsFor(shape.rows);
  const size_t sketch_bytes = SketchLayout(shape.rows, shape.dim, is_l2).end +
                              CellLayout(cells, shape.dim).end +
                              CodedCentroids::EstimateBytes(cells, shape.dim);
  return GraphLayout({.nodes = shape.rows,
                      .m = m,
                      .upper_slots = shape.rows / m + 1,
                      .code_bytes = kCodeBytes(shape, build),
                      .sketch_bytes = is_sketched ? sketch_bytes : 0})
             .end +
         shape.rows * kOpenedNodeBytes;
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

constexpr ParamSpec kSeedSpec{.name = "seed_ef",
                              .phase = Phase::kSearch,
                              .kind = ParamKind::kInteger,
                              .default_value = static_cast<double>(kDefaultSeedEf),
                              .min = 1,
                              .max = 2147483647,
                              .help = "Breadth of a stream of hits (iterators, grouping)."};
constexpr ParamSpec kFallbackSpec{.name = "disable_fallback_brute_force",
                                  .phase = Phase::kSearch,
                                  .kind = ParamKind::kBool,
                                  .default_value = 0,
                                  .min = 0,
                                  .max = 1,
                                  .help = "Do not scan for hits that the graph does not lead to."};
constexpr ParamSpec kWindowSpec{
    .name = "iterator_refine_ratio",
    .phase = Phase::kSearch,
    .kind = ParamKind::kNumber,
    .default_value = kDefaultWindowRatio,
    .min = 0,
    .max = 1024,
    .help =
        "Hits of a stream that wait to be put in order by exact scores, as a share of seed_ef."};

// Every type has the graph's parameters; those on codes add their own between and after.
constexpr auto kRowParams =
    std::to_array<ParamSpec>({kMSpec,
                              kEfConstructionSpec,
                              {"refine", Phase::kBuild, ParamKind::kBool, 0, 0, 1,
                               "Not for HNSW, which keeps whole vectors: true is refused."},
                              kEfSpec,
                              kSeedSpec,
                              kFallbackSpec});
constexpr auto kScalarParams = std::to_array<ParamSpec>(
    {kMSpec, kEfConstructionSpec, kScalarTypeSpec, kRefineSpec, kRefineTypeSpec, kEfSpec,
     kRefineKSpec, kSeedSpec, kFallbackSpec, kWindowSpec});
constexpr auto kPqParams = std::to_array<ParamSpec>(
    {kMSpec,
     kEfConstructionSpec,
     {"m", Phase::kBuild, ParamKind::kInteger, 32, 1, 65536, "Parts of a vector; divides dim."},
     kBitsSpec,
     kRefineSpec,
     kRefineTypeSpec,
     kEfSpec,
     kRefineKSpec,
     kSeedSpec,
     kFallbackSpec,
     kWindowSpec});
constexpr auto kPrqParams = std::to_array<ParamSpec>(
    {kMSpec,
     kEfConstructionSpec,
     {"m", Phase::kBuild, ParamKind::kInteger, 2, 1, 65536, "Parts of a vector; divides dim."},
     {"nrq", Phase::kBuild, ParamKind::kInteger, 2, 1, 16, "Residual quantisers of a part."},
     kBitsSpec,
     kRefineSpec,
     kRefineTypeSpec,
     kEfSpec,
     kRefineKSpec,
     kSeedSpec,
     kFallbackSpec,
     kWindowSpec});

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
using ShapeOfCodes = AdditiveShape (*)(const Params&);

template <ShapeOfCodes kShape>
Status CheckAdditive(uint32_t dim, const Params& build) {
  return CheckParts(dim, kShape(build).spaces);
}
template <ShapeOfCodes kShape>
size_t AdditiveBytes(const RowShape&, const Params& build) {
  return AdditiveRowBytes(kShape(build));
}
template <ShapeOfCodes kShape>
Result<std::unique_ptr<Codec>> MakeAdditive(Context& ctx, const Source& source) {
  const FloatSample sample = SampleRows(source.unit_rows(), kSampleRows);
  return TrainAdditiveCodec(ctx, sample.block, kShape(source.params), source.is_l2(), source.pool);
}

// HNSW walks on bytes where they lead to the same rows, and the vectors score what it finds: half
// the time of a walk on vectors. Few rows and other elements are walked as they are.
Result<std::unique_ptr<Codec>> MakeRows(Context& ctx, const Source& source) {
  if (source.rows.element == ElementType::kFloat32 && source.rows.rows >= kCodedRowsMin) {
    std::unique_ptr<Codec> bytes = TrainCodec(CodeKind::kSq8, source.unit_rows(), source.is_l2());
    TRY_ASSIGN(const bool keeps, KeepsOrder(ctx, *bytes, source.unit_rows(), source.is_l2()));
    if (keeps) return bytes;
  }
  return MakeRowCodec(source.rows.element, source.rows.dim, source.metric);
}
CodeKind RefineRows(const Codec& codec, const Params&) {
  return codec.kind() == CodeKind::kSq8 ? CodeKind::kFloat32 : CodeKind::kNone;
}
CodeKind RefineCodes(const Codec&, const Params& build) { return RefineKind(build); }
size_t RowBytes(const RowShape& shape, const Params&) {
  return EstimateRowBytes(shape.element, shape.dim);
}
Status CheckRows(uint32_t, const Params& build) {
  if (!build.GetBool("refine", false)) return {};
  return Invalid("refine is not for HNSW, which keeps whole vectors; it is for HNSW_SQ");
}

Result<std::unique_ptr<Codec>> MakeScalar(Context&, const Source& source) {
  return TrainCodec(ScalarKind(source.params), source.unit_rows(), source.is_l2());
}
size_t ScalarBytes(const RowShape& shape, const Params& build) {
  return EstimateRowBytes(ScalarKind(build), shape.dim);
}

template <MakeCodec kMake, CodeBytes kBytes, ChooseRefine kRefine = RefineCodes>
IndexType GraphType(std::string_view name, std::span<const ParamSpec> params,
                    Status (*check)(uint32_t, const Params&)) {
  return {.name = name,
          .metrics = DenseMetrics(),
          .params = params,
          .takes_int8 = true,
          .Check = check,
          .EstimateMemory = EstimateGraph<kBytes>,
          .Build = BuildGraph<kMake, kRefine>,
          .Open = Open};
}

}  // namespace

const IndexType& HnswType() {
  static const IndexType kType =
      GraphType<MakeRows, RowBytes, RefineRows>("HNSW", kRowParams, CheckRows);
  return kType;
}

const IndexType& HnswSqType() {
  static const IndexType kType =
      GraphType<MakeScalar, ScalarBytes>("HNSW_SQ", kScalarParams, nullptr);
  return kType;
}

const IndexType& HnswPqType() {
  static const IndexType kType = GraphType<MakeAdditive<PqShape>, AdditiveBytes<PqShape>>(
      "HNSW_PQ", kPqParams, CheckAdditive<PqShape>);
  return kType;
}

const IndexType& HnswPrqType() {
  static const IndexType kType = GraphType<MakeAdditive<PrqShape>, AdditiveBytes<PrqShape>>(
      "HNSW_PRQ", kPrqParams, CheckAdditive<PrqShape>);
  return kType;
}

}  // namespace elanus::index
