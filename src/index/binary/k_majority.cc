// k-majority: assign rows to the nearest centroid, take the majority of their bits, repeat.
#include "index/binary/k_majority.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "index/binary/scorer.h"

namespace elanus::index {
namespace {

constexpr size_t kSamplesPerCentroid = 64;
constexpr int kIterations = 10;
constexpr size_t kRowsPerTask = 256;
constexpr size_t kClustersPerTask = 16;

// Rows in the order of their clusters: those of cluster c from bounds[c] to bounds[c + 1].
struct Clusters {
  std::vector<uint32_t> order;
  std::vector<size_t> bounds;
  Clusters(const std::vector<uint32_t>& nearest, size_t count)
      : order(nearest.size()), bounds(count + 1, 0) {
    for (uint32_t c : nearest) ++bounds[c + 1];
    std::partial_sum(bounds.begin(), bounds.end(), bounds.begin());
    std::vector<size_t> next = bounds;
    for (uint32_t r = 0; r < nearest.size(); ++r) order[next[nearest[r]]++] = r;
  }
  size_t size(size_t c) const { return bounds[c + 1] - bounds[c]; }
};

// The centroid of the rows of one cluster. `counts`: scratch of dim numbers.
class Majority {
 public:
  Majority(BinaryBlock rows, model::Metric metric)
      : rows_(rows), is_jaccard_(metric == model::Metric::kJaccard), counts_(rows.dim) {}

  void Take(const uint32_t* members, size_t count, uint8_t* centroid) {
    std::fill(counts_.begin(), counts_.end(), 0u);
    for (size_t i = 0; i < count; ++i) {
      const uint8_t* row = rows_.row(members[i]);
      for (size_t d = 0; d < rows_.dim; ++d) counts_[d] += (row[d / 8] >> (d % 8)) & 1u;
    }
    std::fill_n(centroid, rows_.row_bytes(), uint8_t{0});
    if (is_jaccard_) {
      TakeMostFrequent(count, centroid);
      return;
    }
    for (size_t d = 0; d < rows_.dim; ++d) {
      if (2 * size_t{counts_[d]} > count) SetBit(d, centroid);
    }
  }

 private:
  static void SetBit(size_t d, uint8_t* centroid) {
    centroid[d / 8] = static_cast<uint8_t>(centroid[d / 8] | 1u << (d % 8));
  }
  // The majority of sparse rows is nobody: the empty set, as far from all as can be.
  void TakeMostFrequent(size_t count, uint8_t* centroid) {
    const size_t total = std::accumulate(counts_.begin(), counts_.end(), size_t{0});
    const size_t wanted = std::min<size_t>((total + count / 2) / count, rows_.dim);
    by_count_.resize(rows_.dim);
    std::iota(by_count_.begin(), by_count_.end(), 0u);
    std::nth_element(by_count_.begin(), by_count_.begin() + static_cast<ptrdiff_t>(wanted),
                     by_count_.end(), [&](uint32_t a, uint32_t b) {
                       return counts_[a] > counts_[b] || (counts_[a] == counts_[b] && a < b);
                     });
    for (size_t i = 0; i < wanted; ++i) SetBit(by_count_[i], centroid);
  }

  const BinaryBlock rows_;
  const bool is_jaccard_;
  std::vector<uint32_t> counts_;
  std::vector<uint32_t> by_count_;
};

Status MoveCentroids(Context& ctx, BinaryBlock sample, const std::vector<uint32_t>& nearest,
                     model::Metric metric, Pool* pool, std::vector<uint8_t>& centroids) {
  const size_t bytes = sample.row_bytes();
  const size_t count = centroids.size() / bytes;
  const Clusters clusters(nearest, count);
  TRY(ForParts(ctx, pool, count, kClustersPerTask, [&](size_t begin, size_t end) {
    Majority majority(sample, metric);
    for (size_t c = begin; c < end; ++c) {
      if (clusters.size(c) == 0) continue;
      majority.Take(clusters.order.data() + clusters.bounds[c], clusters.size(c),
                    centroids.data() + c * bytes);
    }
  }));
  size_t largest = 0;
  for (size_t c = 1; c < count; ++c) {
    if (clusters.size(c) > clusters.size(largest)) largest = c;
  }
  size_t taken = 0;  // Members of the largest cluster that became centroids.
  for (size_t c = 0; c < count; ++c) {
    if (clusters.size(c) != 0) continue;
    const size_t member = clusters.bounds[largest] + taken++ % clusters.size(largest);
    std::copy_n(sample.row(clusters.order[member]), bytes, centroids.data() + c * bytes);
  }
  return {};
}

void AssignRange(BinaryBlock rows, BinaryScorer& scorer, size_t count, size_t begin, size_t end,
                 uint32_t* nearest) {
  std::array<float, BinaryScorer::kTileRows> keys;
  std::vector<float> best(end - begin, std::numeric_limits<float>::infinity());
  // A tile of centroids stays in the cache while all rows of the range meet it.
  for (size_t c = 0; c < count; c += keys.size()) {
    const size_t tile = std::min(keys.size(), count - c);
    for (size_t r = begin; r < end; ++r) {
      scorer.SetQuery(rows.row(r));
      scorer.ScoreRange(c, tile, keys.data());
      const auto least =
          std::min_element(keys.begin(), keys.begin() + static_cast<ptrdiff_t>(tile));
      if (*least >= best[r - begin]) continue;
      best[r - begin] = *least;
      nearest[r] = static_cast<uint32_t>(c + static_cast<size_t>(least - keys.begin()));
    }
  }
}

}  // namespace

Result<std::vector<uint32_t>> AssignBinaryRows(Context& ctx, BinaryBlock rows,
                                               const std::vector<uint8_t>& centroids,
                                               model::Metric metric, Pool* pool) {
  std::vector<uint32_t> nearest(rows.rows, 0);
  const BinaryBlock block(centroids.data(), centroids.size() / rows.row_bytes(), rows.dim);
  TRY_ASSIGN(const std::vector<uint32_t> ones, CountOnes(ctx, block, nullptr));
  TRY(ForParts(ctx, pool, rows.rows, kRowsPerTask, [&](size_t begin, size_t end) {
    BitScorer scorer(block, ones.data(), metric);
    AssignRange(rows, scorer, block.rows, begin, end, nearest.data());
  }));
  return nearest;
}

Result<std::vector<uint8_t>> TrainBinaryCentroids(Context& ctx, BinaryBlock rows, size_t count,
                                                  model::Metric metric,
                                                  const BuildOptions& options) {
  const size_t bytes = rows.row_bytes();
  std::vector<uint32_t> order(rows.rows);
  std::iota(order.begin(), order.end(), 0u);
  std::mt19937 rng(42);
  std::shuffle(order.begin(), order.end(), rng);
  order.resize(std::min(order.size(), count * kSamplesPerCentroid));
  std::vector<uint8_t> bits(order.size() * bytes);
  for (size_t i = 0; i < order.size(); ++i) {
    std::copy_n(rows.row(order[i]), bytes, bits.data() + i * bytes);
  }
  const BinaryBlock sample(bits.data(), order.size(), rows.dim);
  std::vector<uint8_t> centroids(bits.begin(),
                                 bits.begin() + static_cast<ptrdiff_t>(count * bytes));
  std::vector<uint32_t> before;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    TRY_ASSIGN(std::vector<uint32_t> nearest,
               AssignBinaryRows(ctx, sample, centroids, metric, options.pool));
    if (nearest == before) break;
    TRY(MoveCentroids(ctx, sample, nearest, metric, options.pool, centroids));
    before = std::move(nearest);
    if (options.on_progress) options.on_progress((iteration + 1.0) / kIterations);
  }
  return centroids;
}

}  // namespace elanus::index
