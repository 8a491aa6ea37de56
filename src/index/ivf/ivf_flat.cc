// IVF_FLAT. File (framed "ELIVFFL1"): 32 zero bytes; u64 rows, u64 lists, u64 dim; centroids (lists
// x dim float32); list bounds (lists + 1 u64); row numbers (rows u32, list by list); zeros to 64;
// the vectors in that order, normalised for COSINE. The search reads all of it in place.
#include "index/ivf/ivf_flat.h"

#include <array>
#include <cstring>
#include <numeric>

#include "base/bytes.h"
#include "base/framed.h"
#include "index/flat/exact.h"
#include "index/ivf/k_means.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr std::string_view kMagic = "ELIVFFL1";
constexpr size_t kLead =
    32;  // The frame has 32 bytes too: the payload's start plus this is 64-byte aligned.
constexpr size_t kFixed = 24;
constexpr size_t kTileRows = 256;
constexpr int64_t kDefaultLists = 128;
constexpr int64_t kDefaultProbes = 8;

struct Layout {
  size_t centroids, bounds, rows, vectors, end;
  Layout(size_t row_count, size_t lists, size_t dim) {
    centroids = kLead + kFixed;
    bounds = (centroids + lists * dim * 4 + 7) / 8 * 8;
    rows = bounds + (lists + 1) * 8;
    vectors = (rows + row_count * 4 + kLead + 63) / 64 * 64 - kLead;
    end = vectors + row_count * dim * 4;
  }
};

class IvfFlat final : public VectorIndex {
 public:
  IvfFlat(Blob file, std::string_view payload, size_t rows, size_t lists, uint32_t dim,
          model::Metric metric)
      : file_(std::move(file)), rows_(rows), lists_(lists), dim_(dim), metric_(metric) {
    const Layout at(rows, lists, dim);
    centroids_ = reinterpret_cast<const float*>(payload.data() + at.centroids);
    bounds_ = reinterpret_cast<const uint64_t*>(payload.data() + at.bounds);
    numbers_ = reinterpret_cast<const uint32_t*>(payload.data() + at.rows);
    vectors_ = reinterpret_cast<const float*>(payload.data() + at.vectors);
  }

  Status Search(Context& ctx, VectorBlock queries, uint32_t k, const Params& params,
                BitsetView allowed, Hits hits) const override {
    const auto probes = static_cast<size_t>(
        std::min<int64_t>(params.GetInt("nprobe", kDefaultProbes), static_cast<int64_t>(lists_)));
    std::vector<float> query(dim_);
    std::vector<float> distances(lists_);
    std::vector<uint32_t> order(lists_);
    TopK best(k);
    const bool is_l2 = metric_ == model::Metric::kL2;
    for (size_t q = 0; q < queries.rows; ++q) {
      std::copy_n(queries.row(q), dim_, query.data());
      if (metric_ == model::Metric::kCosine) {
        const float scale = InverseNorm(query.data(), dim_);
        for (float& v : query) v *= scale;
      }
      // Lists by L2 of their centroid for L2, by inner product for the others.
      (is_l2 ? kernels_.l2_block : kernels_.ip_block)(query.data(), 1, centroids_, lists_, dim_,
                                                      distances.data(), lists_);
      if (!is_l2) {
        for (float& d : distances) d = -d;
      }
      std::iota(order.begin(), order.end(), 0u);
      std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(probes), order.end(),
                        [&](uint32_t a, uint32_t b) { return distances[a] < distances[b]; });
      for (size_t p = 0; p < lists_; ++p) {
        // Past the probes only while hits are missing; then the order of the rest matters.
        if (p >= probes && best.full()) break;
        if (p == probes) {
          std::sort(order.begin() + static_cast<ptrdiff_t>(p), order.end(),
                    [&](uint32_t a, uint32_t b) { return distances[a] < distances[b]; });
        }
        TRY(ctx.CheckAlive());
        ScanList(query.data(), order[p], allowed, best);
      }
      best.WriteTo(hits, q, is_l2 ? 1.0f : -1.0f);
    }
    return {};
  }

  size_t memory_bytes() const override { return file_.heap_bytes(); }

 private:
  void ScanList(const float* query, uint32_t list, BitsetView allowed, TopK& best) const {
    const bool is_l2 = metric_ == model::Metric::kL2;
    std::array<float, kTileRows> scores;
    for (size_t begin = bounds_[list]; begin < bounds_[list + 1]; begin += kTileRows) {
      const size_t tile = std::min<size_t>(kTileRows, bounds_[list + 1] - begin);
      (is_l2 ? kernels_.l2_block : kernels_.ip_block)(query, 1, vectors_ + begin * dim_, tile, dim_,
                                                      scores.data(), kTileRows);
      for (size_t i = 0; i < tile; ++i) {
        const float key = is_l2 ? scores[i] : -scores[i];
        const uint32_t row = numbers_[begin + i];
        if (key <= best.bound() && (allowed.empty() || allowed.Test(row))) best.Push(key, row);
      }
    }
  }

  Blob file_;
  const size_t rows_;
  const size_t lists_;
  const uint32_t dim_;
  const model::Metric metric_;
  const simd::Kernels& kernels_ = simd::Best();
  const float* centroids_;
  const uint64_t* bounds_;
  const uint32_t* numbers_;
  const float* vectors_;
};

size_t EstimateMemory(uint64_t rows, uint32_t dim, const Params& build) {
  return Layout(rows, static_cast<size_t>(build.GetInt("nlist", kDefaultLists)), dim).end;
}

Result<std::string> Build(Context& ctx, VectorBlock rows, model::Metric metric, const Params& build,
                          const BuildOptions& options) {
  const size_t lists = std::min<size_t>(static_cast<size_t>(build.GetInt("nlist", kDefaultLists)),
                                        std::max<size_t>(rows.rows, 1));
  const uint32_t dim = rows.dim;
  std::vector<float> normalised;
  if (metric == model::Metric::kCosine) {
    normalised.resize(rows.rows * dim);
    for (size_t r = 0; r < rows.rows; ++r) {
      const float scale = InverseNorm(rows.row(r), dim);
      for (size_t d = 0; d < dim; ++d) normalised[r * dim + d] = rows.row(r)[d] * scale;
    }
    rows.data = normalised.data();
  }
  std::vector<float> centroids(lists * dim, 0.0f);
  std::vector<uint32_t> nearest;
  if (rows.rows > 0) {
    TRY_ASSIGN(centroids, TrainCentroids(ctx, rows, lists, options.pool));
    if (options.on_progress) options.on_progress(0.5);
    TRY_ASSIGN(nearest, AssignRows(ctx, rows, centroids, options.pool));
  }
  const Layout at(rows.rows, lists, dim);
  std::string payload(at.end, '\0');
  const uint64_t fixed[3] = {rows.rows, lists, dim};
  std::memcpy(payload.data() + kLead, fixed, kFixed);
  std::memcpy(payload.data() + at.centroids, centroids.data(), centroids.size() * 4);
  std::vector<uint64_t> bounds(lists + 1, 0);
  for (uint32_t list : nearest) ++bounds[list + 1];
  for (size_t l = 0; l < lists; ++l) bounds[l + 1] += bounds[l];
  std::memcpy(payload.data() + at.bounds, bounds.data(), bounds.size() * 8);
  std::vector<uint64_t> next = bounds;
  for (uint32_t r = 0; r < rows.rows; ++r) {
    const uint64_t slot = next[nearest[r]]++;
    std::memcpy(payload.data() + at.rows + slot * 4, &r, 4);
    std::memcpy(payload.data() + at.vectors + slot * dim * 4, rows.row(r), dim * 4);
  }
  if (options.on_progress) options.on_progress(1.0);
  return Frame(kMagic, 1, payload);
}

Result<std::unique_ptr<VectorIndex>> Open(Blob file, VectorBlock rows, model::Metric metric) {
  TRY_ASSIGN(const std::string_view payload, Unframe(kMagic, 1, file.bytes(), "IVF_FLAT index"));
  uint64_t fixed[3];
  if (payload.size() < kLead + kFixed)
    return Status(ErrorCode::kIntegrity, "the IVF_FLAT index is too short");
  std::memcpy(fixed, payload.data() + kLead, kFixed);
  if (fixed[0] != rows.rows || fixed[2] != rows.dim || fixed[1] == 0 ||
      fixed[1] > std::max<uint64_t>(rows.rows, 1) ||
      payload.size() != Layout(fixed[0], fixed[1], fixed[2]).end) {
    return Status(ErrorCode::kIntegrity, "the IVF_FLAT index does not belong to this segment");
  }
  return std::unique_ptr<VectorIndex>(
      std::make_unique<IvfFlat>(std::move(file), payload, fixed[0], fixed[1], rows.dim, metric));
}

constexpr auto kParams = std::to_array<ParamSpec>({
    {"nlist", Phase::kBuild, kDefaultLists, 1, 65536, true, "Number of lists."},
    {"nprobe", Phase::kSearch, kDefaultProbes, 1, 65536, true, "Lists a search scans."},
});

}  // namespace

const IndexType& IvfFlatType() {
  static const IndexType kType{.name = "IVF_FLAT",
                               .params = kParams,
                               .EstimateMemory = EstimateMemory,
                               .Build = Build,
                               .Open = Open};
  return kType;
}

}  // namespace elanus::index
