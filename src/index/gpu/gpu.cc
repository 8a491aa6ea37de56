// Each GPU type is its CPU twin under other parameters. A build and a search say them in the twin's
// words and leave the work to it, so that the answers are the twin's. What only steers a device
// (memory pools, blocks of threads, types of look-up tables) has no parameter here and is ignored
// like any unknown name.
#include "index/gpu/gpu.h"

#include <algorithm>
#include <array>

#include "index/binary/graph.h"
#include "index/flat/flat.h"
#include "index/hnsw/hnsw.h"
#include "index/ivf/ivf.h"

namespace elanus::index {
namespace {

using Translate = Result<Params> (*)(const Params& params, uint32_t k);

// A twin's index that is asked in the words of the GPU type.
class TwinIndex final : public VectorIndex {
 public:
  TwinIndex(std::unique_ptr<VectorIndex> twin, Translate to_search)
      : twin_(std::move(twin)), to_search_(to_search) {}
  Status Search(Context& ctx, const SearchRequest& request, Hits hits) const override {
    if (request.range.bounds()) {
      return Error(ErrorCode::kSegcoreUnsupported,
                   "failed to search: a GPU index answers no range search");
    }
    SearchRequest said = request;
    TRY_ASSIGN(said.params, to_search_(request.params, request.k));
    return twin_->Search(ctx, said, hits);
  }
  Result<std::unique_ptr<HitStream>> Stream(Context&, const StreamRequest&) const override {
    return Error(ErrorCode::kSegcoreUnsupported, "failed to search: a GPU index gives no stream");
  }
  size_t rows() const override { return twin_->rows(); }
  size_t memory_bytes() const override { return twin_->memory_bytes(); }

 private:
  const std::unique_ptr<VectorIndex> twin_;
  const Translate to_search_;
};

template <const IndexType& (*kTwin)(), Params (*kToBuild)(const Params&, uint32_t dim)>
size_t EstimateMemory(const RowShape& shape, const Params& build) {
  return kTwin().EstimateMemory(shape, kToBuild(build, shape.dim));
}

template <const IndexType& (*kTwin)(), Params (*kToBuild)(const Params&, uint32_t dim)>
Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
                          const BuildOptions& options) {
  return kTwin().Build(ctx, rows, metric, kToBuild(build, rows.dim), options);
}

template <const IndexType& (*kTwin)(), Translate kToSearch>
Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(auto twin, kTwin().Open(std::move(file), rows, metric));
  return std::unique_ptr<VectorIndex>(std::make_unique<TwinIndex>(std::move(twin), kToSearch));
}

template <const IndexType& (*kTwin)(), Params (*kToBuild)(const Params&, uint32_t),
          Translate kToSearch>
IndexType TwinOf(std::string_view name, std::span<const ParamSpec> params) {
  return {.name = name,
          .kind = kTwin().kind,
          .metrics = kTwin().metrics,
          .params = params,
          .takes_int8 = kTwin().takes_int8,
          .twin = &kTwin(),
          .EstimateMemory = EstimateMemory<kTwin, kToBuild>,
          .Build = Build<kTwin, kToBuild>,
          .Open = Open<kTwin, kToSearch>};
}

Params SameBuild(const Params& build, uint32_t) { return build; }
Result<Params> SameSearch(const Params& search, uint32_t) { return search; }

constexpr ParamSpec kListsSpec{.name = "nlist",
                               .phase = Phase::kBuild,
                               .kind = ParamKind::kInteger,
                               .default_value = 128,
                               .min = 1,
                               .max = 65536,
                               .help = "Lists."};
constexpr ParamSpec kProbesSpec{.name = "nprobe",
                                .phase = Phase::kSearch,
                                .kind = ParamKind::kInteger,
                                .default_value = 8,
                                .min = 1,
                                .max = 65536,
                                .help = "Lists that a search scans."};

// The largest number of parts of at least two dimensions, unless the user names one.
Params PqBuild(const Params& build, uint32_t dim) {
  Params said = build;
  if (build.GetInt("m", 0) == 0) said.Set("m", dim % 2 == 0 && dim > 1 ? dim / 2 : dim);
  said.Set("refine", 1);
  return said;
}

// A ratio of 1 refines nothing on a device; here it leaves the twin's default.
Result<Params> PqSearch(const Params& search, uint32_t) {
  Params said = search;
  if (const double ratio = search.Get("refine_ratio", 1); ratio > 1) said.Set("refine_k", ratio);
  return said;
}

Status CheckPq(uint32_t dim, const Params& build) {
  return IvfPqType().Check(dim, PqBuild(build, dim));
}

// A fixed degree is that of the twin's lowest level, twice its M; the degree before pruning is how
// many candidates a node chooses its links from.
constexpr int64_t kDegree = 64;
constexpr int64_t kDegreeBefore = 128;

Params CagraBuild(const Params& build, uint32_t) {
  Params said;
  const int64_t degree = build.GetInt("graph_degree", kDegree);
  said.Set("M", static_cast<double>(std::max<int64_t>(degree / 2, 2)));
  said.Set("efConstruction",
           static_cast<double>(
               std::max(build.GetInt("intermediate_graph_degree", kDegreeBefore), degree)));
  return said;
}

Result<Params> CagraSearch(const Params& search, uint32_t k) {
  Params said;
  if (search.Has("ef")) {
    said.Set("ef", search.Get("ef", 0));
    return said;
  }
  const int64_t held = (search.GetInt("itopk_size", std::max<int64_t>(k, 64)) + 31) / 32 * 32;
  const int64_t width = 32 * search.GetInt("search_width", (int64_t{k} + 31) / 32);
  if (std::max(held, width) < k) {
    return Error(ErrorCode::kSegcore,
                 "failed to search: out_of_range_in_json: max(itopk_size, 32 * search_width) ({}) "
                 "should not be smaller than k({})",
                 std::max(held, width), k);
  }
  said.Set("ef", static_cast<double>(std::max(held, width)));
  return said;
}

constexpr auto kCagraParams = std::to_array<ParamSpec>(
    {{"intermediate_graph_degree", Phase::kBuild, ParamKind::kInteger, kDegreeBefore, 1, 4096,
      "Candidates a node chooses its links from."},
     {"graph_degree", Phase::kBuild, ParamKind::kInteger, kDegree, 1, 4096, "Links a node."},
     {"itopk_size", Phase::kSearch, ParamKind::kInteger, 64, 1, 65536,
      "Breadth of a search, rounded up to a multiple of 32. Default max(k, 64)."},
     {"search_width", Phase::kSearch, ParamKind::kInteger, 1, 1, 2048,
      "32 times this is the breadth where that is more."},
     {"ef", Phase::kSearch, ParamKind::kInteger, 64, 1, 2147483647,
      "Breadth in the words of HNSW; before the other two."}});

}  // namespace

const IndexType& GpuBruteForceType() {
  static const IndexType kType =
      TwinOf<FlatType, SameBuild, SameSearch>("GPU_BRUTE_FORCE", std::span<const ParamSpec>());
  return kType;
}

const IndexType& GpuIvfFlatType() {
  static constexpr std::array kParams = {kListsSpec, kProbesSpec};
  static const IndexType kType =
      TwinOf<IvfFlatType, SameBuild, SameSearch>("GPU_IVF_FLAT", kParams);
  return kType;
}

const IndexType& GpuIvfPqType() {
  static constexpr auto kParams = std::to_array<ParamSpec>(
      {kListsSpec,
       {"m", Phase::kBuild, ParamKind::kInteger, 0, 0, 65536,
        "Parts of a vector; divides dim. 0: half of dim."},
       {"nbits", Phase::kBuild, ParamKind::kInteger, 8, 4, 8, "Bits of a part's code."},
       kProbesSpec,
       {"refine_ratio", Phase::kSearch, ParamKind::kNumber, 1, 1, 65535,
        "Times k: candidates that are scored anew by the vectors."}});
  static const IndexType kType = [] {
    IndexType type = TwinOf<IvfPqType, PqBuild, PqSearch>("GPU_IVF_PQ", kParams);
    type.Check = CheckPq;
    return type;
  }();
  return kType;
}

const IndexType& GpuCagraType() {
  static const IndexType kType =
      TwinOf<HnswType, CagraBuild, CagraSearch>("GPU_CAGRA", kCagraParams);
  return kType;
}

const IndexType& GpuBinaryCagraType() {
  static const IndexType kType =
      TwinOf<BinaryHnswType, CagraBuild, CagraSearch>("GPU_CAGRA", kCagraParams);
  return kType;
}

}  // namespace elanus::index
