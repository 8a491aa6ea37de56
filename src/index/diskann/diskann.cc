// The DISKANN type and AISAQ, which leaves its codes in the file: parameters, and how a build goes.
#include "index/diskann/diskann.h"

#include <array>

#include "index/codes/additive_codec.h"
#include "index/codes/rotated_codec.h"
#include "index/diskann/blocks.h"
#include "index/diskann/builder.h"
#include "index/diskann/file.h"
#include "index/diskann/search.h"
#include "index/flat/exact.h"

namespace elanus::index {
namespace {

constexpr int64_t kDegree = 56;
constexpr int64_t kBuildList = 100;
constexpr int64_t kBeamWidth = 8;
constexpr double kCodeRatio = 0.125;
constexpr double kCacheRatio = 0.10;
constexpr double kAnyNumber = 1e9;
constexpr double kAnyInteger = 2147483647;
constexpr double kGraphShare = 0.8;  // Of the work of a build; the rest makes codes.
constexpr uint32_t kCodeBits = 8;
constexpr size_t kSampleRows = 65536;  // Where rows must be copied to train codes on.
constexpr size_t kCodeHead = 16;       // What a codec saves besides its codebooks.

constexpr ParamSpec kDegreeSpec{"max_degree", Phase::kBuild,  ParamKind::kInteger, kDegree, 1,
                                2048,         "Links a node."};
constexpr ParamSpec kBuildListSpec{"search_list_size",
                                   Phase::kBuild,
                                   ParamKind::kInteger,
                                   kBuildList,
                                   1,
                                   kAnyInteger,
                                   "Breadth of the search while building."};
constexpr ParamSpec kCodesSpec{
    "pq_code_budget_gb_ratio",
    Phase::kBuild,
    ParamKind::kNumber,
    kCodeRatio,
    0,
    kAnyNumber,
    "Bytes of the codes that a walk reads, as a share of the vectors' bytes; 0: the default."};
constexpr ParamSpec kCacheSpec{
    "search_cache_budget_gb_ratio",
    Phase::kBuild,
    ParamKind::kNumber,
    kCacheRatio,
    0,
    kAnyNumber,
    "Blocks nearest the entry kept in memory, as a share of the vectors' bytes."};
constexpr ParamSpec kBuildMemorySpec{
    "build_dram_budget_gb",
    Phase::kBuild,
    ParamKind::kNumber,
    0,
    0,
    kAnyNumber,
    "GB of memory that the build of a segment may take by estimate, or it fails; 0: any."};
constexpr ParamSpec kDiskCodesSpec{"disk_pq_dims",
                                   Phase::kBuild,
                                   ParamKind::kInteger,
                                   0,
                                   -kAnyInteger,
                                   kAnyInteger,
                                   "Accepted without effect: the file keeps whole vectors."};
constexpr ParamSpec kAccelerateSpec{"accelerate_build",
                                    Phase::kBuild,
                                    ParamKind::kBool,
                                    0,
                                    0,
                                    1,
                                    "One pass over the nodes instead of two."};
constexpr ParamSpec kListSpec{"search_list",
                              Phase::kSearch,
                              ParamKind::kInteger,
                              16,
                              1,
                              kAnyInteger,
                              "Breadth of a search; at least k. Default max(k, 16)."};
constexpr ParamSpec kThresholdSpec{
    "filter_threshold",
    Phase::kSearch,
    ParamKind::kNumber,
    -1,
    -1,
    1,
    "Share of excluded rows from which codes are scanned; below 0: what costs less."};

constexpr ParamSpec kRangeListSpec{"min_k",
                                   Phase::kSearch,
                                   ParamKind::kInteger,
                                   static_cast<double>(kRangeListMin),
                                   1,
                                   kAnyInteger,
                                   "Breadth of a range search at least."};
constexpr ParamSpec kRangeListMaxSpec{"max_k",
                                      Phase::kSearch,
                                      ParamKind::kInteger,
                                      kAnyInteger,
                                      1,
                                      kAnyInteger,
                                      "Breadth of a range search at most; k at least."};

constexpr auto kParams = std::to_array<ParamSpec>(
    {kDegreeSpec,
     kBuildListSpec,
     kCodesSpec,
     kCacheSpec,
     kBuildMemorySpec,
     kDiskCodesSpec,
     kAccelerateSpec,
     kListSpec,
     {"beamwidth", Phase::kSearch, ParamKind::kInteger, kBeamWidth, 1, 128, "Blocks read at once."},
     kThresholdSpec,
     kRangeListSpec,
     kRangeListMaxSpec});

// The page cache is the one cache of AISAQ, and its codes lie together: what chooses between other
// layouts and caches is checked and has no effect.
constexpr int64_t kAisaqBeamWidth = 2;
constexpr std::array<std::string_view, 2> kEngines = {"aio", "uring"};
constexpr auto kAisaqParams = [] {
  ParamSpec cache = kCacheSpec;
  cache.default_value = 0;
  return std::to_array<ParamSpec>(
      {kDegreeSpec,
       kBuildListSpec,
       kCodesSpec,
       cache,
       kBuildMemorySpec,
       kDiskCodesSpec,
       kAccelerateSpec,
       {"inline_pq", Phase::kBuild, ParamKind::kInteger, -1, -1, 2048,
        "Accepted without effect: codes lie together, not beside the links."},
       {"rearrange", Phase::kBuild, ParamKind::kBool, 1, 0, 1,
        "Accepted without effect: nodes always lie beside their neighbours."},
       {"num_entry_points", Phase::kBuild, ParamKind::kInteger, 100, 0, 1000,
        "Accepted without effect: a walk begins at the node in the middle."},
       {"pq_cache_size", Phase::kBuild, ParamKind::kInteger, 0, 0, 1073741824,
        "Accepted without effect: the page cache keeps the codes that are read."},
       {"pq_read_page_cache_size", Phase::kSearch, ParamKind::kInteger, 5242880, 0, 33554432,
        "Accepted without effect: the page cache keeps the codes that are read."},
       {"pq_read_io_engine", Phase::kBuild, ParamKind::kChoice, 0, 0, 1,
        "Accepted without effect: the file is read through its mapping.", kEngines},
       kListSpec,
       {"beamwidth", Phase::kSearch, ParamKind::kInteger, kAisaqBeamWidth, 1, 16,
        "Blocks read at once."},
       {"vectors_beamwidth", Phase::kSearch, ParamKind::kInteger, 1, 1, 4,
        "Accepted without effect: a vector comes with its node's block."},
       kThresholdSpec,
       kRangeListSpec,
       kRangeListMaxSpec});
}();

// What the codes are: 4 bits a dimension where the budget holds them and no byte a dimension, of
// which one dot product makes a distance; else product codes, of as many bytes as the budget holds.
struct CodePlan {
  CodeKind kind = CodeKind::kRotated;
  AdditiveShape parts;    // Of product codes: a byte each, of as many dimensions each,
  uint32_t code_dim = 0;  // the last part filled up with zeros.
};

CodePlan PlanCodes(const VectorBlock& row, const Params& build) {
  const uint32_t dim = row.dim;
  double ratio = build.Get("pq_code_budget_gb_ratio", kCodeRatio);
  if (ratio <= 0) ratio = kCodeRatio;
  const double bytes =
      std::clamp(ratio * static_cast<double>(row.row_bytes()), 1.0, static_cast<double>(dim));
  const auto part = (dim + static_cast<uint32_t>(bytes) - 1) / static_cast<uint32_t>(bytes);
  if (part == 2 || dim == 1) return {.code_dim = dim};
  const uint32_t spaces = (dim + part - 1) / part;
  return {.kind = CodeKind::kAdditive,
          .parts = {.spaces = spaces, .layers = 1, .bits = kCodeBits},
          .code_dim = spaces * part};
}

Result<std::unique_ptr<Codec>> TrainCodes(Context& ctx, const CodePlan& plan, VectorBlock rows,
                                          bool is_l2, Pool* pool) {
  if (plan.kind == CodeKind::kRotated) return TrainRotatedCodec(rows, is_l2);
  return TrainAdditiveCodec(ctx, rows, plan.parts, is_l2, pool);
}

uint64_t CacheBytes(const VectorBlock& rows, const Params& build) {
  const double bytes = build.Get("search_cache_budget_gb_ratio", kCacheRatio) *
                       static_cast<double>(rows.rows) * static_cast<double>(rows.row_bytes());
  return static_cast<uint64_t>(std::min(bytes, 1e18));
}

DiskHeader HeaderFor(const RowShape& shape, const Params& build) {
  const VectorBlock rows{.rows = shape.rows, .dim = shape.dim, .element = shape.element};
  const CodePlan plan = PlanCodes(rows, build);
  const bool rotated = plan.kind == CodeKind::kRotated;
  DiskHeader header{
      .nodes = shape.rows,
      .dim = shape.dim,
      .degree = static_cast<uint64_t>(build.GetInt("max_degree", kDegree)),
      .code_dim = plan.code_dim,
      .code_params = rotated ? RotatedSavedBytes(shape.dim)
                             : (size_t{plan.code_dim} << kCodeBits) * sizeof(float) + kCodeHead,
      .code_bytes = rotated ? RotatedRowBytes(shape.dim) : plan.parts.spaces,
      .code_terms = rotated ? 0u : 1u,
      .element = static_cast<uint64_t>(shape.element),
      .scaled = shape.element != ElementType::kFloat32 && shape.metric == model::Metric::kCosine};
  header.cached_blocks = CacheBytes(rows, build) / header.Shape().block_bytes;
  return header;
}

// The graph, the whole file, the rows that codes are trained on, and of COSINE vectors of length 1.
size_t EstimateBuildMemory(const RowShape& shape, const Params& build) {
  const auto degree = static_cast<uint32_t>(build.GetInt("max_degree", kDegree));
  const bool copies =
      shape.metric == model::Metric::kCosine && shape.element == ElementType::kFloat32;
  const size_t row = shape.dim * sizeof(float);
  const size_t cell_row = sizeof(uint32_t);
  return DiskLayout(HeaderFor(shape, build)).end + std::min<size_t>(shape.rows, kSampleRows) * row +
         shape.rows * (VamanaBuilder::NodeBytes(degree) + cell_row + (copies ? row : 0));
}

Status CheckBudget(const RowShape& shape, const Params& build) {
  const double budget_gb = build.Get("build_dram_budget_gb", 0);
  const double needed_gb = static_cast<double>(EstimateBuildMemory(shape, build)) / 1e9;
  if (budget_gb == 0 || needed_gb <= budget_gb) return {};
  return Invalid(
      "a build over {} vectors takes an estimated {:.3g} GB of memory, build_dram_budget_gb allows "
      "{:.3g}",
      shape.rows, needed_gb, budget_gb);
}

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
                          const BuildOptions& options) {
  if (rows.rows >= (1u << 31)) {
    return Invalid("DISKANN holds fewer than 2^31 rows, got {}", rows.rows);
  }
  TRY(CheckBudget({.rows = rows.rows, .dim = rows.dim, .element = rows.element, .metric = metric},
                  build));
  std::vector<float> normalised;
  if (metric == model::Metric::kCosine && rows.element == ElementType::kFloat32) {
    normalised = Normalised(rows);
    rows.data = normalised.data();
    metric = model::Metric::kIp;  // Of such rows it is the same.
  }
  const bool is_l2 = metric == model::Metric::kL2;
  const BuildSpace space(rows, metric);
  const auto degree = static_cast<uint32_t>(build.GetInt("max_degree", kDegree));
  VamanaBuilder builder(space, degree,
                        static_cast<uint32_t>(build.GetInt("search_list_size", kBuildList)));
  BuildOptions graph_options{.pool = options.pool};
  if (options.on_progress) {
    graph_options.on_progress = [&](double share) { options.on_progress(share * kGraphShare); };
  }
  TRY(builder.Build(ctx, build.GetBool("accelerate_build", false) ? 1 : 2, graph_options));
  const CodePlan plan = PlanCodes(rows, build);
  const FloatRows code_rows(rows, metric == model::Metric::kCosine, plan.code_dim);
  const FloatSample sample = SampleRows(code_rows, kSampleRows);
  TRY_ASSIGN(const auto codec, TrainCodes(ctx, plan, sample.block, is_l2, options.pool));
  const FloatRows unit_rows(rows, metric == model::Metric::kCosine);
  TRY_ASSIGN(const Partition cells, MakeCells(ctx, unit_rows, is_l2, options.pool));
  TRY_ASSIGN(std::string file, WriteDisk(ctx, builder, rows, metric, code_rows, *codec, cells,
                                         degree, CacheBytes(rows, build), options.pool));
  if (options.on_progress) options.on_progress(1);
  return file;
}

template <StepsIn kStepsIn>
size_t EstimateMemory(const RowShape& shape, const Params& build) {
  return EstimateDiskMemory(HeaderFor(shape, build), kStepsIn);
}

template <StepsIn kStepsIn>
Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(OpenedDisk disk, OpenDisk(std::move(file), rows, metric, kStepsIn));
  const int64_t beam_width = kStepsIn == StepsIn::kMemory ? kBeamWidth : kAisaqBeamWidth;
  return MakeDiskIndex(std::move(disk), metric, static_cast<size_t>(beam_width));
}

Params AisaqBuild(const Params& build) {
  Params said = build;
  if (!said.Has("search_cache_budget_gb_ratio")) said.Set("search_cache_budget_gb_ratio", 0);
  return said;
}

}  // namespace

const IndexType& DiskAnnType() {
  static const IndexType kType{.name = "DISKANN",
                               .metrics = DenseMetrics(),
                               .params = kParams,
                               .maps = false,  // Is mapped, whatever one likes.
                               .EstimateMemory = EstimateMemory<StepsIn::kMemory>,
                               .EstimateBuildMemory = EstimateBuildMemory,
                               .Build = Build,
                               .Open = Open<StepsIn::kMemory>};
  return kType;
}

const IndexType& AisaqType() {
  static const IndexType kType{
      .name = "AISAQ",
      .metrics = DenseMetrics(),
      .params = kAisaqParams,
      .maps = false,
      .EstimateMemory =
          [](const RowShape& shape, const Params& build) {
            return EstimateMemory<StepsIn::kFile>(shape, AisaqBuild(build));
          },
      .EstimateBuildMemory = EstimateBuildMemory,
      .Build =
          [](Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
             const BuildOptions& options) {
            return Build(ctx, rows, metric, AisaqBuild(build), options);
          },
      .Open = Open<StepsIn::kFile>};
  return kType;
}

uint64_t DiskAnnBlocksRead() { return BlocksReadSoFar(); }

}  // namespace elanus::index
