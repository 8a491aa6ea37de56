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
#include "index/twin/twin.h"

namespace elanus::index {
namespace {

constexpr std::string_view kReason = "no GPU is used";

template <const IndexType& (*kTwin)(), ToBuild kToBuild, ToSearch kToSearch>
IndexType GpuTwinOf(std::string_view name, std::span<const ParamSpec> params) {
  IndexType type = TwinOf<kTwin, kToBuild, kToSearch, Extras::kRefused>(name, params);
  type.twin_reason = kReason;
  type.maps = false;
  return type;
}

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
      GpuTwinOf<FlatType, SameBuild, SameSearch>("GPU_BRUTE_FORCE", std::span<const ParamSpec>());
  return kType;
}

const IndexType& GpuIvfFlatType() {
  static constexpr std::array kParams = {kListsSpec, kProbesSpec};
  static const IndexType kType =
      GpuTwinOf<IvfFlatType, SameBuild, SameSearch>("GPU_IVF_FLAT", kParams);
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
  static const IndexType kType = GpuTwinOf<IvfPqType, PqBuild, PqSearch>("GPU_IVF_PQ", kParams);
  return kType;
}

const IndexType& GpuCagraType() {
  static const IndexType kType =
      GpuTwinOf<HnswType, CagraBuild, CagraSearch>("GPU_CAGRA", kCagraParams);
  return kType;
}

const IndexType& GpuBinaryCagraType() {
  static const IndexType kType =
      GpuTwinOf<BinaryHnswType, CagraBuild, CagraSearch>("GPU_CAGRA", kCagraParams);
  return kType;
}

}  // namespace elanus::index
