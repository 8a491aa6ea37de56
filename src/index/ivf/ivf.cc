// The types of inverted lists: what each keeps of a vector, and their parameters.
#include "index/ivf/ivf.h"

#include <array>

#include "index/codes/additive_codec.h"
#include "index/codes/choices.h"
#include "index/codes/codecs.h"
#include "index/codes/fast_scan_codec.h"
#include "index/ivf/file.h"
#include "index/ivf/search.h"
#include "index/ivf/spill.h"

namespace elanus::index {
namespace {

constexpr int64_t kDefaultLists = 128;
constexpr double kTrainedProgress = 0.5;
constexpr size_t kSampleRows = 65536;
// Fewer rows or lists are read fast without second lists.
constexpr size_t kSpilledRowsMin = 4096;
constexpr size_t kSpilledListsMin = 32;

// What a type makes its codec of.
struct Source {
  VectorBlock rows;
  model::Metric metric;
  const FloatRows& unit_rows;  // Of length 1 under COSINE.
  const Lists& lists;
  const Params& params;
  Pool* pool;
  bool is_l2() const { return metric == model::Metric::kL2; }
};
using MakeCodec = Result<std::unique_ptr<Codec>> (*)(Context&, const Source&);
// Codes of rows as they are, or of what they leave over from their centroids.
enum class CodesOf { kRows, kResiduals };
// Whether rows may stand in two lists.
enum class Spills { kNever, kWherePays };

// A sample of what rows leave over from their centroids.
FloatSample SampleResiduals(const Source& source) {
  const FloatRows& rows = source.unit_rows;
  const size_t dim = rows.dim();
  const size_t count = std::min(rows.rows(), kSampleRows);
  FloatSample sample{.owned = std::vector<float>(count * dim), .block = {}};
  for (size_t i = 0; i < count; ++i) {
    const size_t r = i * rows.rows() / count;
    const float* centroid = source.lists.centroids.data() + source.lists.nearest[r] * dim;
    float* residual = sample.owned.data() + i * dim;
    rows.Copy(r, residual);
    for (size_t d = 0; d < dim; ++d) residual[d] -= centroid[d];
  }
  sample.block = {.data = sample.owned.data(), .rows = count, .dim = rows.dim()};
  return sample;
}

// Levels between bounds are finer where the bounds are those of a list and not of all rows.
void TrainRefine(const Source& source, IvfCodes& codes) {
  codes.refines_residuals = IsScalar(codes.refine_kind);
  if (!codes.refines_residuals) {
    codes.refine = TrainCodec(codes.refine_kind, source.unit_rows, source.is_l2());
    return;
  }
  const FloatSample sample = SampleResiduals(source);
  codes.refine = TrainCodec(codes.refine_kind, FloatRows(sample.block, false), source.is_l2());
}

// Whether second lists are tried. Not with codes to refine by, which would double, too.
bool MaySpill(size_t rows, size_t lists, CodeKind refine) {
  return !HoldsRefineCodes(refine) && rows >= kSpilledRowsMin && lists >= kSpilledListsMin;
}

// Second lists, where searches gain by them.
Status Spill(Context& ctx, const FloatRows& rows, bool is_l2, CodeKind refine, Pool* pool,
             Lists& lists) {
  if (!MaySpill(rows.rows(), lists.centroids.size() / rows.dim(), refine)) return {};
  TRY_ASSIGN(lists.second, SecondLists(ctx, rows, lists, pool));
  TRY_ASSIGN(const bool pays, SecondListsPay(ctx, rows, lists, is_l2, pool));
  if (!pays) lists.second.clear();
  return {};
}

template <MakeCodec kMake, CodesOf kOf, Spills kSpills = Spills::kNever>
Result<std::string> BuildIvf(Context& ctx, VectorBlock rows, model::Metric metric,
                             const Params& build, const BuildOptions& options) {
  const FloatRows unit_rows(rows, metric == model::Metric::kCosine);
  TRY_ASSIGN(Lists lists,
             TrainLists(ctx, unit_rows, static_cast<size_t>(build.GetInt("nlist", kDefaultLists)),
                        options, kTrainedProgress));
  const Source source{.rows = rows,
                      .metric = metric,
                      .unit_rows = unit_rows,
                      .lists = lists,
                      .params = build,
                      .pool = options.pool};
  IvfCodes codes{.codec = nullptr,
                 .residual = kOf == CodesOf::kResiduals,
                 .refine_kind = ListRefineKind(build),
                 .refine = nullptr};
  if constexpr (kSpills == Spills::kWherePays) {
    TRY(Spill(ctx, unit_rows, source.is_l2(), codes.refine_kind, options.pool, lists));
  }
  TRY_ASSIGN(codes.codec, kMake(ctx, source));
  if (HoldsRefineCodes(codes.refine_kind)) TrainRefine(source, codes);
  TRY_ASSIGN(std::string file, WriteIvf(ctx, rows, metric, lists, codes, options.pool));
  if (options.on_progress) options.on_progress(1.0);
  return file;
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedIvf lists, OpenIvf(std::move(file), rows, metric));
  return MakeIvfIndex(std::move(lists), rows, metric);
}

using CodeBytes = size_t (*)(const RowShape& shape, const Params& build);

template <CodeBytes kCodeBytes, Spills kSpills = Spills::kNever>
size_t EstimateIvf(const RowShape& shape, const Params& build) {
  const CodeKind refine = ListRefineKind(build);
  const auto lists = static_cast<uint64_t>(build.GetInt("nlist", kDefaultLists));
  const uint64_t spilled =
      kSpills == Spills::kWherePays && MaySpill(shape.rows, lists, refine) ? 1 : 0;
  const size_t file =
      IvfLayout({.rows = shape.rows,
                 .lists = lists,
                 .dim = shape.dim,
                 .places = shape.rows * (1 + spilled),
                 .code_bytes = kCodeBytes(shape, build),
                 .refine_bytes = HoldsRefineCodes(refine) ? EstimateRowBytes(refine, shape.dim) : 0,
                 .spilled = spilled})
          .end;
  const size_t marks = shape.rows * (1 + spilled) / kPlacesPerMark * sizeof(uint16_t);
  return file + shape.rows * kOpenedRowBytes + marks +
         CodedCentroids::EstimateBytes(lists, shape.dim);
}

constexpr ParamSpec kListsSpec{.name = "nlist",
                               .phase = Phase::kBuild,
                               .kind = ParamKind::kInteger,
                               .default_value = kDefaultLists,
                               .min = 1,
                               .max = 65536,
                               .help = "Number of lists."};
constexpr ParamSpec kProbesSpec{.name = "nprobe",
                                .phase = Phase::kSearch,
                                .kind = ParamKind::kInteger,
                                .default_value = 8,
                                .min = 1,
                                .max = 65536,
                                .help = "Lists a search scans."};
constexpr ParamSpec kFillsSpec{.name = "ensure_topk_full",
                               .phase = Phase::kSearch,
                               .kind = ParamKind::kBool,
                               .default_value = 1,
                               .min = 0,
                               .max = 1,
                               .help = "Scan more lists while hits are missing."};

constexpr ParamSpec kElkanSpec{
    .name = "use_elkan",
    .phase = Phase::kBuild,
    .kind = ParamKind::kBool,
    .default_value = 1,
    .min = 0,
    .max = 1,
    .help = "Accepted without effect: every iteration compares all centroids, tile by tile."};
constexpr ParamSpec kEmptyListsSpec{
    .name = "max_empty_result_buckets",
    .phase = Phase::kSearch,
    .kind = ParamKind::kInteger,
    .default_value = static_cast<double>(kDefaultEmptyLists),
    .min = 0,
    .max = 65536,
    .help = "A range search goes on past nprobe until so many lists in a row add no hit."};

Result<std::unique_ptr<Codec>> MakeRows(Context&, const Source& source) {
  return MakeRowCodec(source.rows.element, source.rows.dim, source.metric);
}
size_t RowBytes(const RowShape& shape, const Params&) {
  return EstimateRowBytes(shape.element, shape.dim);
}

constexpr std::array<std::string_view, 3> kSq8Types = {"sq4", "sq6", "sq8"};
CodeKind Sq8Kind(const Params& build) {
  constexpr std::array<CodeKind, 3> kKinds = {CodeKind::kSq4, CodeKind::kSq6, CodeKind::kSq8};
  return kKinds[static_cast<size_t>(build.GetInt("sq_type", 2))];
}
Result<std::unique_ptr<Codec>> MakeScalar(Context&, const Source& source) {
  return TrainCodec(Sq8Kind(source.params), source.unit_rows, source.is_l2());
}
size_t ScalarBytes(const RowShape& shape, const Params& build) {
  return EstimateRowBytes(Sq8Kind(build), shape.dim);
}

AdditiveShape PqShape(const Params& build) {
  return {.spaces = static_cast<uint32_t>(build.GetInt("m", 1)),
          .layers = 1,
          .bits = static_cast<uint32_t>(build.GetInt("nbits", 8))};
}
Result<std::unique_ptr<Codec>> MakePq(Context& ctx, const Source& source) {
  const FloatSample sample = SampleResiduals(source);
  return TrainAdditiveCodec(ctx, sample.block, PqShape(source.params), source.is_l2(), source.pool);
}
size_t PqBytes(const RowShape&, const Params& build) { return AdditiveRowBytes(PqShape(build)); }
Status CheckPq(uint32_t dim, const Params& build) {
  if (!build.Has("m")) return Invalid("parameter m is required for IVF_PQ");
  return CheckParts(dim, static_cast<uint32_t>(build.GetInt("m", 1)));
}

int RabitqBits(const Params& build) { return static_cast<int>(build.GetInt("rbq_bits", 1)); }
Result<std::unique_ptr<Codec>> MakeRabitq(Context&, const Source& source) {
  return MakeRabitqCodec(RabitqBits(source.params), source.rows.dim, source.is_l2());
}
size_t RabitqBytes(const RowShape& shape, const Params& build) {
  return RabitqRowBytes(RabitqBits(build), shape.dim);
}

uint32_t PartDim(const Params& build) { return static_cast<uint32_t>(build.GetInt("sub_dim", 2)); }
Result<std::unique_ptr<Codec>> MakeFastScan(Context& ctx, const Source& source) {
  const FloatSample sample = SampleResiduals(source);
  return TrainFastScanCodec(ctx, sample.block, PartDim(source.params), source.is_l2(), source.pool);
}
size_t FastScanBytes(const RowShape& shape, const Params& build) {
  return FastScanRowBytes(shape.dim, PartDim(build));
}
Status CheckScann(uint32_t dim, const Params& build) {
  if (dim % PartDim(build) == 0) return {};
  return Invalid("dim ({}) should be a multiple of sub_dim ({})", dim, PartDim(build));
}
// SCANN calls refining keeping raw data.
Result<std::string> BuildScann(Context& ctx, VectorBlock rows, model::Metric metric,
                               const Params& build, const BuildOptions& options) {
  Params with_refine = build;
  with_refine.Set("refine", build.GetBool("with_raw_data", true) ? 1 : 0);
  return BuildIvf<MakeFastScan, CodesOf::kResiduals, Spills::kWherePays>(ctx, rows, metric,
                                                                         with_refine, options);
}

}  // namespace

const IndexType& IvfFlatType() {
  static constexpr auto kParams =
      std::to_array<ParamSpec>({kListsSpec, kElkanSpec, kProbesSpec, kFillsSpec, kEmptyListsSpec});
  static const IndexType kType{.name = "IVF_FLAT",
                               .metrics = DenseMetrics(),
                               .params = kParams,
                               .takes_int8 = true,
                               .EstimateMemory = EstimateIvf<RowBytes>,
                               .Build = BuildIvf<MakeRows, CodesOf::kRows>,
                               .Open = Open};
  return kType;
}

const IndexType& IvfSq8Type() {
  static constexpr auto kParams =
      std::to_array<ParamSpec>({kListsSpec,
                                kElkanSpec,
                                {"sq_type", Phase::kBuild, ParamKind::kChoice, 2, 0, 2,
                                 "What a dimension is kept in.", kSq8Types},
                                kRefineSpec,
                                kListRefineTypeSpec,
                                kProbesSpec,
                                kRefineKSpec,
                                kFillsSpec,
                                kEmptyListsSpec});
  static const IndexType kType{.name = "IVF_SQ8",
                               .metrics = DenseMetrics(),
                               .params = kParams,
                               .takes_int8 = true,
                               .EstimateMemory = EstimateIvf<ScalarBytes>,
                               .Build = BuildIvf<MakeScalar, CodesOf::kRows>,
                               .Open = Open};
  return kType;
}

const IndexType& IvfPqType() {
  static constexpr auto kParams = std::to_array<ParamSpec>(
      {kListsSpec,
       kElkanSpec,
       {"m", Phase::kBuild, ParamKind::kInteger, 0, 1, 65536, "Parts of a vector; divides dim."},
       kBitsSpec,
       kRefineSpec,
       kListRefineTypeSpec,
       kProbesSpec,
       kRefineKSpec,
       kFillsSpec,
       kEmptyListsSpec});
  static const IndexType kType{.name = "IVF_PQ",
                               .metrics = DenseMetrics(),
                               .params = kParams,
                               .takes_int8 = true,
                               .Check = CheckPq,
                               .EstimateMemory = EstimateIvf<PqBytes>,
                               .Build = BuildIvf<MakePq, CodesOf::kResiduals>,
                               .Open = Open};
  return kType;
}

const IndexType& IvfRabitqType() {
  static constexpr auto kParams = std::to_array<ParamSpec>(
      {kListsSpec,
       kElkanSpec,
       {"rbq_bits", Phase::kBuild, ParamKind::kInteger, 1, 1, 9, "Bits of a dimension."},
       kRefineSpec,
       kListRefineTypeSpec,
       kProbesSpec,
       {"rbq_bits_query", Phase::kSearch, ParamKind::kInteger, 0, 0, 8,
        "Accepted without effect: a query is rounded to 8 bits, which costs no more than fewer."},
       kRefineKSpec,
       kFillsSpec,
       kEmptyListsSpec});
  static const IndexType kType{.name = "IVF_RABITQ",
                               .metrics = DenseMetrics(),
                               .params = kParams,
                               .EstimateMemory = EstimateIvf<RabitqBytes>,
                               .Build = BuildIvf<MakeRabitq, CodesOf::kResiduals>,
                               .Open = Open};
  return kType;
}

const IndexType& ScannType() {
  static constexpr auto kParams = [] {
    ParamSpec fills = kFillsSpec;
    fills.default_value = 0;
    return std::to_array<ParamSpec>(
        {kListsSpec,
         kElkanSpec,
         {"with_raw_data", Phase::kBuild, ParamKind::kBool, 1, 0, 1,
          "Candidates are scored again by the segment's own vectors."},
         {"sub_dim", Phase::kBuild, ParamKind::kInteger, 2, 1, 65536,
          "Dimensions of a part; divides dim."},
         kProbesSpec,
         {"reorder_k", Phase::kSearch, ParamKind::kInteger, 0, 1, 1048576,
          "Candidates that are scored again; at least k. Default k."},
         fills,
         kEmptyListsSpec});
  }();
  static const IndexType kType{.name = "SCANN",
                               .metrics = DenseMetrics(),
                               .params = kParams,
                               .takes_int8 = true,
                               .Check = CheckScann,
                               .EstimateMemory = EstimateIvf<FastScanBytes, Spills::kWherePays>,
                               .Build = BuildScann,
                               .Open = Open};
  return kType;
}

}  // namespace elanus::index
