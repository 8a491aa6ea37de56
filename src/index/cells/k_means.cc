// k-means.
#include "index/cells/k_means.h"

#include <algorithm>
#include <array>
#include <random>

#include "index/cells/list_order.h"
#include "simd/kernels.h"
#include "simd/panels.h"

namespace elanus::index {
namespace {

// Rows of the sample for each centroid, iteration by iteration: while centroids are far from where
// they will stand, a few rows say as well as many where to go.
constexpr std::array<size_t, 10> kRowsPerCentroid = {32, 32, 32, 64, 64, 64, 128, 128, 256, 256};
constexpr size_t kRowsPerTask = 96 * simd::PanelKernels::kVectors;
// Bytes tell the nearest of so many centroids in less time than float32 from so many dimensions on.
constexpr size_t kByteCentroidsMin = 64;
constexpr size_t kByteDimMin = 32;

Status ForChunks(Context& ctx, Pool* pool, size_t count,
                 const std::function<void(size_t, size_t)>& fn) {
  const size_t chunks = (count + kRowsPerTask - 1) / kRowsPerTask;
  const auto run = [&](size_t chunk) -> Status {
    TRY(ctx.CheckAlive());
    fn(chunk * kRowsPerTask, std::min(count, (chunk + 1) * kRowsPerTask));
    return {};
  };
  if (pool != nullptr) return pool->ParallelFor(ctx, chunks, run);
  for (size_t chunk = 0; chunk < chunks; ++chunk) TRY(run(chunk));
  return {};
}

bool BytesPay(size_t centroids, size_t dim) {
  return centroids >= kByteCentroidsMin && dim >= kByteDimMin;
}

// Few centroids, as the kernels meet them.
struct Panels {
  size_t count = 0;
  std::vector<float> values;
  // Half the squared norm of each centroid: with it the nearest one follows from inner products.
  std::vector<float> half_norms;
};

Panels PanelsOf(const std::vector<float>& centroids, size_t dim) {
  Panels panels{.count = centroids.size() / dim, .values = {}, .half_norms = {}};
  panels.values.resize((panels.count + simd::kPanelRows - 1) / simd::kPanelRows * simd::kPanelRows *
                       dim);
  for (size_t c = 0; c < panels.count; c += simd::kPanelRows) {
    simd::Panels().pack(centroids.data() + c * dim, std::min(simd::kPanelRows, panels.count - c),
                        dim, panels.values.data() + c * dim);
  }
  for (size_t c = 0; c < panels.count; ++c) {
    const float* centroid = centroids.data() + c * dim;
    panels.half_norms.push_back(simd::Best().ip(centroid, centroid, dim) / 2);
  }
  return panels;
}

void AssignRange(const FloatRows& rows, const Panels& centroids, size_t begin, size_t end,
                 uint32_t* nearest) {
  constexpr size_t kVectors = simd::PanelKernels::kVectors;
  const simd::PanelKernels& panels = simd::Panels();
  const size_t dim = rows.dim();
  std::vector<float> scratch(rows.lies_ready() ? 0 : (end - begin) * dim);
  const float* vectors = rows.Read(begin, end - begin, scratch.data());
  std::array<float, kVectors * simd::kPanelRows> products;
  std::vector<float> best(end - begin, std::numeric_limits<float>::infinity());
  // A panel stays in the cache while all rows of the range meet it.
  for (size_t c = 0; c < centroids.count; c += simd::kPanelRows) {
    const size_t tile = std::min(simd::kPanelRows, centroids.count - c);
    for (size_t r = 0; r < end - begin; r += kVectors) {
      const size_t group = std::min(kVectors, end - begin - r);
      panels.products(vectors + r * dim, group, dim, centroids.values.data() + c * dim,
                      products.data());
      for (size_t g = 0; g < group; ++g) {
        float least;
        const size_t at = simd::Best().arg_min_difference(
            centroids.half_norms.data() + c, products.data() + g * simd::kPanelRows, tile, &least);
        if (least < best[r + g]) {
          best[r + g] = least;
          nearest[begin + r + g] = static_cast<uint32_t>(c + at);
        }
      }
    }
  }
}

void AssignRangeByBytes(const FloatRows& rows, const CodedCentroids& centroids, bool is_exact,
                        size_t begin, size_t end, uint32_t* nearest) {
  const size_t dim = rows.dim();
  std::vector<float> scratch(rows.lies_ready() ? 0 : (end - begin) * dim);
  const float* vectors = rows.Read(begin, end - begin, scratch.data());
  ListOrder order(centroids);
  for (size_t r = begin; r < end; r += ListOrder::kQueriesAtOnce) {
    const size_t group = std::min(ListOrder::kQueriesAtOnce, end - r);
    order.Score(vectors + (r - begin) * dim, group);
    for (size_t g = 0; g < group; ++g) {
      if (is_exact) {
        order.Choose(g, 1);
        nearest[r + g] = order.at(0);
      } else {
        nearest[r + g] = order.NearestRoughly(g);
      }
    }
  }
}

// `is_exact`: else bytes decide between centroids about as near.
Result<std::vector<uint32_t>> Assign(Context& ctx, const FloatRows& rows,
                                     const std::vector<float>& centroids, bool is_exact,
                                     Pool* pool) {
  std::vector<uint32_t> nearest(rows.rows(), 0);
  const size_t count = centroids.size() / rows.dim();
  if (BytesPay(count, rows.dim())) {
    const CodedCentroids coded(centroids.data(), count, rows.dim(), /*is_l2=*/true);
    TRY(ForChunks(ctx, pool, rows.rows(), [&](size_t begin, size_t end) {
      AssignRangeByBytes(rows, coded, is_exact, begin, end, nearest.data());
    }));
    return nearest;
  }
  const Panels panels = PanelsOf(centroids, rows.dim());
  TRY(ForChunks(ctx, pool, rows.rows(), [&](size_t begin, size_t end) {
    AssignRange(rows, panels, begin, end, nearest.data());
  }));
  return nearest;
}

// Moves each centroid to the mean of its rows; an empty one next to the centroid of the largest
// cluster.
void MoveCentroids(VectorBlock sample, const std::vector<uint32_t>& nearest,
                   std::vector<float>& centroids) {
  const size_t dim = sample.dim;
  const size_t count = centroids.size() / dim;
  std::vector<double> sums(centroids.size(), 0.0);
  std::vector<size_t> sizes(count, 0);
  for (size_t r = 0; r < sample.rows; ++r) {
    const size_t c = nearest[r];
    ++sizes[c];
    for (size_t d = 0; d < dim; ++d) sums[c * dim + d] += sample.row(r)[d];
  }
  for (size_t c = 0; c < count; ++c) {
    if (sizes[c] == 0) continue;
    for (size_t d = 0; d < dim; ++d) {
      centroids[c * dim + d] =
          static_cast<float>(sums[c * dim + d] / static_cast<double>(sizes[c]));
    }
  }
  for (size_t c = 0; c < count; ++c) {
    if (sizes[c] != 0) continue;
    const size_t largest =
        static_cast<size_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
    for (size_t d = 0; d < dim; ++d) {
      // A small, opposite push splits the large cluster.
      const float push = d % 2 == 0 ? 1.0f / 1024 : -1.0f / 1024;
      centroids[c * dim + d] = centroids[largest * dim + d] * (1 + push);
      centroids[largest * dim + d] *= 1 - push;
    }
    sizes[c] = sizes[largest] / 2;
    sizes[largest] -= sizes[c];
  }
}

}  // namespace

Result<std::vector<uint32_t>> AssignRows(Context& ctx, const FloatRows& rows,
                                         const std::vector<float>& centroids, Pool* pool) {
  return Assign(ctx, rows, centroids, /*is_exact=*/true, pool);
}

Result<std::vector<float>> TrainCentroids(Context& ctx, const FloatRows& rows, size_t count,
                                          Pool* pool) {
  std::vector<uint32_t> order(rows.rows());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937 rng(42);
  std::shuffle(order.begin(), order.end(), rng);
  order.resize(std::min(order.size(), count * kRowsPerCentroid.back()));
  std::vector<float> sample(order.size() * rows.dim());
  for (size_t i = 0; i < order.size(); ++i) {
    rows.Copy(order[i], sample.data() + i * rows.dim());
  }
  std::vector<float> centroids(sample.begin(),
                               sample.begin() + static_cast<ptrdiff_t>(count * rows.dim()));
  for (const size_t per_centroid : kRowsPerCentroid) {
    // The sample is in random order, so its first rows are a sample too.
    const VectorBlock block{.data = sample.data(),
                            .rows = std::min(order.size(), count * per_centroid),
                            .dim = rows.dim()};
    // Where a row lies between two centroids is of no weight for where they go.
    TRY_ASSIGN(const std::vector<uint32_t> nearest,
               Assign(ctx, block, centroids, /*is_exact=*/false, pool));
    MoveCentroids(block, nearest, centroids);
  }
  return centroids;
}

}  // namespace elanus::index
