// k-means.
#include "index/ivf/k_means.h"

#include <algorithm>
#include <random>

#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kSamplesPerCentroid = 256;
constexpr int kIterations = 10;
constexpr size_t kRowsPerTask = 256;
constexpr size_t kCentroidsPerTile = 64;  // 96 KB at 384 dimensions: fits the second cache.

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

// Half the squared norm of each centroid: with it the nearest one follows from inner products.
std::vector<float> HalfNorms(const std::vector<float>& centroids, size_t dim) {
  std::vector<float> norms(centroids.size() / dim);
  for (size_t c = 0; c < norms.size(); ++c) {
    const float* centroid = centroids.data() + c * dim;
    norms[c] = simd::Best().ip(centroid, centroid, dim) / 2;
  }
  return norms;
}

void AssignRange(const FloatRows& rows, const std::vector<float>& centroids,
                 const std::vector<float>& half_norms, size_t begin, size_t end,
                 uint32_t* nearest) {
  const simd::Kernels& kernels = simd::Best();
  const size_t count = half_norms.size();
  const size_t dim = rows.dim();
  std::vector<float> scratch(rows.lies_ready() ? 0 : (end - begin) * dim);
  const float* vectors = rows.Read(begin, end - begin, scratch.data());
  std::vector<float> products(4 * kCentroidsPerTile);
  std::vector<float> best(end - begin, std::numeric_limits<float>::infinity());
  // A tile of centroids stays in the cache while all rows of the range meet it.
  for (size_t c = 0; c < count; c += kCentroidsPerTile) {
    const size_t tile = std::min(kCentroidsPerTile, count - c);
    for (size_t r = begin; r < end; r += 4) {
      const size_t group = std::min<size_t>(4, end - r);
      kernels.ip_block(vectors + (r - begin) * dim, group, centroids.data() + c * dim, tile, dim,
                       products.data(), kCentroidsPerTile);
      for (size_t g = 0; g < group; ++g) {
        float least;
        const size_t at = kernels.arg_min_difference(
            half_norms.data() + c, products.data() + g * kCentroidsPerTile, tile, &least);
        if (least < best[r - begin + g]) {
          best[r - begin + g] = least;
          nearest[r + g] = static_cast<uint32_t>(c + at);
        }
      }
    }
  }
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
  std::vector<uint32_t> nearest(rows.rows(), 0);
  const std::vector<float> half_norms = HalfNorms(centroids, rows.dim());
  TRY(ForChunks(ctx, pool, rows.rows(), [&](size_t begin, size_t end) {
    AssignRange(rows, centroids, half_norms, begin, end, nearest.data());
  }));
  return nearest;
}

Result<std::vector<float>> TrainCentroids(Context& ctx, const FloatRows& rows, size_t count,
                                          Pool* pool) {
  std::vector<uint32_t> order(rows.rows());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937 rng(42);
  std::shuffle(order.begin(), order.end(), rng);
  order.resize(std::min(order.size(), count * kSamplesPerCentroid));
  std::vector<float> sample(order.size() * rows.dim());
  for (size_t i = 0; i < order.size(); ++i) {
    rows.Copy(order[i], sample.data() + i * rows.dim());
  }
  std::vector<float> centroids(sample.begin(),
                               sample.begin() + static_cast<ptrdiff_t>(count * rows.dim()));
  const VectorBlock block{.data = sample.data(), .rows = order.size(), .dim = rows.dim()};
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    TRY_ASSIGN(const std::vector<uint32_t> nearest, AssignRows(ctx, block, centroids, pool));
    MoveCentroids(block, nearest, centroids);
  }
  return centroids;
}

}  // namespace elanus::index
