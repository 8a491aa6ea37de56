// The types of inverted lists: what each keeps of a vector, and their parameters.
#include "index/ivf/ivf.h"

#include <array>

#include "index/codes/additive_codec.h"
#include "index/codes/choices.h"
#include "index/codes/codecs.h"
#include "index/codes/fast_scan_codec.h"
#include "index/flat/exact.h"
#include "index/ivf/file.h"
#include "index/ivf/search.h"

namespace elanus::index {
namespace {

constexpr int64_t kDefaultLists = 128;
constexpr double kTrainedProgress = 0.5;
constexpr size_t kSampleRows = 65536;

using MakeCodec = Result<std::unique_ptr<Codec>> (*)(Context&, VectorBlock, const Lists&,
                                                     bool is_l2, const Params&, Pool*);

Result<std::string> BuildIvf(Context& ctx, VectorBlock rows, model::Metric metric,
                             const Params& build, const BuildOptions& options, bool residual,
                             MakeCodec make) {
  std::vector<float> normalised;
  if (metric == model::Metric::kCosine) {
    normalised = Normalised(rows);
    rows.data = normalised.data();
  }
  const bool is_l2 = metric == model::Metric::kL2;
  TRY_ASSIGN(const Lists lists,
             TrainLists(ctx, rows, static_cast<size_t>(build.GetInt("nlist", kDefaultLists)),
                        options, kTrainedProgress));
  IvfCodes codes{
      .codec = nullptr, .residual = residual, .refine_kind = RefineKind(build), .refine = nullptr};
  TRY_ASSIGN(codes.codec, make(ctx, rows, lists, is_l2, build, options.pool));
  if (codes.refine_kind != CodeKind::kNone && codes.refine_kind != CodeKind::kFloat32) {
    codes.refine = TrainCodec(codes.refine_kind, rows, is_l2);
  }
  TRY_ASSIGN(std::string file, WriteIvf(ctx, rows, lists, codes, options.pool));
  if (options.on_progress) options.on_progress(1.0);
  return file;
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedIvf lists, OpenIvf(std::move(file), rows, metric == model::Metric::kL2));
  return MakeIvfIndex(std::move(lists), rows, metric);
}

size_t EstimateIvf(uint64_t rows, uint32_t dim, const Params& build, size_t row_bytes) {
  const CodeKind refine = RefineKind(build);
  const size_t refine_bytes =
      refine == CodeKind::kNone || refine == CodeKind::kFloat32 ? 0 : EstimateRowBytes(refine, dim);
  return IvfLayout({.rows = rows,
                    .lists = static_cast<uint64_t>(build.GetInt("nlist", kDefaultLists)),
                    .dim = dim,
                    .places = rows,
                    .code_bytes = row_bytes,
                    .refine_bytes = refine_bytes})
      .end;
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

// A sample of what rows leave over from their centroids.
std::vector<float> SampleResiduals(VectorBlock rows, const Lists& lists) {
  const size_t count = std::min(rows.rows, kSampleRows);
  std::vector<float> sample(count * rows.dim);
  for (size_t i = 0; i < count; ++i) {
    const size_t r = i * rows.rows / count;
    const float* centroid = lists.centroids.data() + size_t{lists.nearest[r]} * rows.dim;
    for (size_t d = 0; d < rows.dim; ++d) sample[i * rows.dim + d] = rows.row(r)[d] - centroid[d];
  }
  return sample;
}

AdditiveShape PqShape(const Params& build) {
  return {.spaces = static_cast<uint32_t>(build.GetInt("m", 1)),
          .layers = 1,
          .bits = static_cast<uint32_t>(build.GetInt("nbits", 8))};
}

int RabitqBits(const Params& build) { return static_cast<int>(build.GetInt("rbq_bits", 1)); }

}  // namespace

const IndexType& IvfFlatType() {
  static constexpr auto kParams = std::to_array<ParamSpec>({kListsSpec, kProbesSpec, kFillsSpec});
  static const IndexType kType{
      .name = "IVF_FLAT",
      .params = kParams,
      .EstimateMemory =
          [](uint64_t rows, uint32_t dim, const Params& build) {
            return EstimateIvf(rows, dim, build, EstimateRowBytes(CodeKind::kFloat32, dim));
          },
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            return BuildIvf(ctx, rows, metric, build, options, false,
                            [](Context&, VectorBlock vectors, const Lists&, bool is_l2,
                               const Params&, Pool*) -> Result<std::unique_ptr<Codec>> {
                              return TrainCodec(CodeKind::kFloat32, vectors, is_l2);
                            });
          },
      .Open = Open};
  return kType;
}

const IndexType& IvfSq8Type() {
  static constexpr std::array<std::string_view, 3> kTypes = {"sq4", "sq6", "sq8"};
  static constexpr std::array<CodeKind, 3> kKinds = {CodeKind::kSq4, CodeKind::kSq6,
                                                     CodeKind::kSq8};
  static constexpr auto kKindOf = [](const Params& build) {
    return kKinds[static_cast<size_t>(build.GetInt("sq_type", 2))];
  };
  static constexpr auto kParams =
      std::to_array<ParamSpec>({kListsSpec,
                                {"sq_type", Phase::kBuild, ParamKind::kChoice, 2, 0, 2,
                                 "What a dimension is kept in.", kTypes},
                                kRefineSpec,
                                kRefineTypeSpec,
                                kProbesSpec,
                                kRefineKSpec,
                                kFillsSpec});
  static const IndexType kType{
      .name = "IVF_SQ8",
      .params = kParams,
      .EstimateMemory =
          [](uint64_t rows, uint32_t dim, const Params& build) {
            return EstimateIvf(rows, dim, build, EstimateRowBytes(kKindOf(build), dim));
          },
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            return BuildIvf(ctx, rows, metric, build, options, false,
                            [](Context&, VectorBlock vectors, const Lists&, bool is_l2,
                               const Params& params, Pool*) -> Result<std::unique_ptr<Codec>> {
                              return TrainCodec(kKindOf(params), vectors, is_l2);
                            });
          },
      .Open = Open};
  return kType;
}

const IndexType& IvfPqType() {
  static constexpr auto kParams = std::to_array<ParamSpec>(
      {kListsSpec,
       {"m", Phase::kBuild, ParamKind::kInteger, 0, 1, 65536, "Parts of a vector; divides dim."},
       kBitsSpec,
       kRefineSpec,
       kRefineTypeSpec,
       kProbesSpec,
       kRefineKSpec,
       kFillsSpec});
  static const IndexType kType{
      .name = "IVF_PQ",
      .params = kParams,
      .Check = [](uint32_t dim, const Params& build) -> Status {
        if (!build.Has("m")) return Invalid("parameter m is required for IVF_PQ");
        return CheckParts(dim, static_cast<uint32_t>(build.GetInt("m", 1)));
      },
      .EstimateMemory =
          [](uint64_t rows, uint32_t dim, const Params& build) {
            return EstimateIvf(rows, dim, build, AdditiveRowBytes(PqShape(build)));
          },
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            return BuildIvf(ctx, rows, metric, build, options, true,
                            [](Context& context, VectorBlock vectors, const Lists& lists,
                               bool is_l2, const Params& params, Pool* pool) {
                              const std::vector<float> sample = SampleResiduals(vectors, lists);
                              return TrainAdditiveCodec(context,
                                                        {.data = sample.data(),
                                                         .rows = sample.size() / vectors.dim,
                                                         .dim = vectors.dim},
                                                        PqShape(params), is_l2, pool);
                            });
          },
      .Open = Open};
  return kType;
}

const IndexType& IvfRabitqType() {
  static constexpr auto kParams = std::to_array<ParamSpec>(
      {kListsSpec,
       {"rbq_bits", Phase::kBuild, ParamKind::kInteger, 1, 1, 9, "Bits of a dimension."},
       kRefineSpec,
       kRefineTypeSpec,
       kProbesSpec,
       kRefineKSpec,
       kFillsSpec});
  static const IndexType kType{
      .name = "IVF_RABITQ",
      .params = kParams,
      .EstimateMemory =
          [](uint64_t rows, uint32_t dim, const Params& build) {
            return EstimateIvf(rows, dim, build, RabitqRowBytes(RabitqBits(build), dim));
          },
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            return BuildIvf(ctx, rows, metric, build, options, true,
                            [](Context&, VectorBlock vectors, const Lists&, bool is_l2,
                               const Params& params, Pool*) -> Result<std::unique_ptr<Codec>> {
                              return MakeRabitqCodec(RabitqBits(params), vectors.dim, is_l2);
                            });
          },
      .Open = Open};
  return kType;
}

const IndexType& ScannType() {
  static constexpr auto kPartDim = [](const Params& build) {
    return static_cast<uint32_t>(build.GetInt("sub_dim", 2));
  };
  static constexpr auto kParams =
      std::to_array<ParamSpec>({kListsSpec,
                                {"with_raw_data", Phase::kBuild, ParamKind::kBool, 1, 0, 1,
                                 "Candidates are scored again by the segment's own vectors."},
                                {"sub_dim", Phase::kBuild, ParamKind::kInteger, 2, 1, 65536,
                                 "Dimensions of a part; divides dim."},
                                kProbesSpec,
                                {"reorder_k", Phase::kSearch, ParamKind::kInteger, 0, 1, 1048576,
                                 "Candidates that are scored again; at least k. Default k."},
                                kFillsSpec});
  static const IndexType kType{
      .name = "SCANN",
      .params = kParams,
      .Check = [](uint32_t dim, const Params& build) -> Status {
        if (dim % kPartDim(build) == 0) return {};
        return Invalid("dim ({}) should be a multiple of sub_dim ({})", dim, kPartDim(build));
      },
      .EstimateMemory =
          [](uint64_t rows, uint32_t dim, const Params& build) {
            return EstimateIvf(rows, dim, build, FastScanRowBytes(dim, kPartDim(build)));
          },
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            Params with_refine = build;
            with_refine.Set("refine", build.GetBool("with_raw_data", true) ? 1 : 0);
            return BuildIvf(ctx, rows, metric, with_refine, options, true,
                            [](Context& context, VectorBlock vectors, const Lists& lists,
                               bool is_l2, const Params& params, Pool* pool) {
                              const std::vector<float> sample = SampleResiduals(vectors, lists);
                              return TrainFastScanCodec(context,
                                                        {.data = sample.data(),
                                                         .rows = sample.size() / vectors.dim,
                                                         .dim = vectors.dim},
                                                        kPartDim(params), is_l2, pool);
                            });
          },
      .Open = Open};
  return kType;
}

}  // namespace elanus::index
