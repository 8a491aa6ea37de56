// Second lists.
#include "index/ivf/spill.h"

#include <algorithm>
#include <limits>

#include "index/cells/list_order.h"
#include "index/top_k.h"
#include "simd/kernels.h"

namespace elanus::index {
namespace {

constexpr size_t kNearLists = 24;  // Among which the second one is.
constexpr size_t kRowsPerTask = 512;
constexpr size_t kRowsAtOnce = ListOrder::kQueriesAtOnce;
// The trial: rows that ask, hits of each, the share of these that is to be found, and what must be
// saved, since second lists double the codes.
constexpr size_t kTrialQueries = 96;
constexpr uint32_t kTrialHits = 10;
constexpr double kTrialRecall = 0.95;
constexpr double kMostOfCost = 0.85;
constexpr size_t kTrialTile = 256;

Status ForTasks(Context& ctx, Pool* pool, size_t tasks, const std::function<void(size_t)>& fn) {
  const auto run = [&](size_t task) -> Status {
    TRY(ctx.CheckAlive());
    fn(task);
    return {};
  };
  if (pool != nullptr) return pool->ParallelFor(ctx, tasks, run);
  for (size_t task = 0; task < tasks; ++task) TRY(run(task));
  return {};
}

// Chooses second lists, row by row; for one thread.
class SecondChooser {
 public:
  SecondChooser(const FloatRows& rows, const Lists& lists, const CodedCentroids& centroids)
      : rows_(rows),
        lists_(lists),
        dim_(rows.dim()),
        near_(std::min(kNearLists, centroids.lists())),
        order_(centroids),
        scratch_(kRowsAtOnce * dim_),
        left_(dim_) {}

  // Of the rows [begin, begin + count), kRowsAtOnce at most.
  void Choose(size_t begin, size_t count, uint32_t* second) {
    const float* read = rows_.Read(begin, count, scratch_.data());
    order_.Score(read, count);
    for (size_t i = 0; i < count; ++i) {
      order_.Choose(i, near_);
      second[begin + i] = Best(read + i * dim_, lists_.nearest[begin + i]);
    }
  }

 private:
  uint32_t Best(const float* row, uint32_t nearest) {
    const float* home = CentroidOf(nearest);
    for (size_t d = 0; d < dim_; ++d) left_[d] = row[d] - home[d];
    const float square = kernels_.ip(left_.data(), left_.data(), dim_);
    const float along_row = kernels_.ip(left_.data(), row, dim_);
    uint32_t best = nearest == 0 ? 1 : 0;
    float least = std::numeric_limits<float>::infinity();
    for (size_t p = 0; p < near_; ++p) {
      const uint32_t list = order_.at(p);
      if (list == nearest) continue;
      const float* centroid = CentroidOf(list);
      const float along = along_row - kernels_.ip(left_.data(), centroid, dim_);
      const float lost =
          kernels_.l2(row, centroid, dim_) + (square > 0 ? along * along / square : 0.0f);
      if (lost >= least) continue;
      least = lost;
      best = list;
    }
    return best;
  }
  const float* CentroidOf(uint32_t list) const {
    return lists_.centroids.data() + size_t{list} * dim_;
  }

  const FloatRows& rows_;
  const Lists& lists_;
  const size_t dim_;
  const size_t near_;
  const simd::Kernels& kernels_ = simd::Best();
  ListOrder order_;
  std::vector<float> scratch_;
  std::vector<float> left_;
};

// What the asking rows would have to read.
class Trial {
 public:
  Trial(const FloatRows& rows, const Lists& lists, const CodedCentroids& centroids, bool is_l2)
      : rows_(rows),
        lists_(lists),
        centroids_(centroids),
        is_l2_(is_l2),
        first_sizes_(centroids.lists(), 0),
        both_sizes_(centroids.lists(), 0),
        asked_(std::min(kTrialQueries, rows.rows())),
        first_needs_(asked_),
        both_needs_(asked_) {
    for (uint32_t list : lists.nearest) ++first_sizes_[list];
    both_sizes_ = first_sizes_;
    for (uint32_t list : lists.second) ++both_sizes_[list];
  }

  size_t tasks() const { return (asked_ + kRowsAtOnce - 1) / kRowsAtOnce; }

  void Run(size_t task) {
    const size_t begin = task * kRowsAtOnce;
    const size_t count = std::min(kRowsAtOnce, asked_ - begin);
    const size_t dim = rows_.dim();
    std::vector<float> queries(count * dim);
    for (size_t i = 0; i < count; ++i) rows_.Copy(RowOf(begin + i), queries.data() + i * dim);
    std::vector<TopK> best = Exact(queries.data(), begin, count);
    ListOrder order(centroids_);
    order.Score(queries.data(), count);
    std::vector<size_t> first_cost(order.size());
    std::vector<size_t> both_cost(order.size());
    for (size_t i = 0; i < count; ++i) {
      order.Choose(i, order.size());
      size_t first_sum = 0;
      size_t both_sum = 0;
      for (size_t p = 0; p < order.size(); ++p) {
        const uint32_t list = order.at(p);
        first_cost[list] = first_sum += first_sizes_[list];
        both_cost[list] = both_sum += both_sizes_[list];
      }
      best[i].ForEach([&](float, uint32_t row) {
        const uint32_t home = lists_.nearest[row];
        first_needs_[begin + i].push_back(first_cost[home]);
        both_needs_[begin + i].push_back(std::min(both_cost[home], both_cost[lists_.second[row]]));
      });
    }
  }

  bool Pays() const { return CostOf(both_needs_) < kMostOfCost * CostOf(first_needs_); }

 private:
  size_t RowOf(size_t query) const { return query * rows_.rows() / asked_; }

  // The nearest rows of each query but for itself.
  std::vector<TopK> Exact(const float* queries, size_t begin, size_t count) const {
    std::vector<TopK> best(count, TopK(kTrialHits));
    std::vector<float> scratch(kTrialTile * rows_.dim());
    std::vector<float> keys(count * kTrialTile);
    const auto block = is_l2_ ? simd::Best().l2_block : simd::Best().ip_block;
    for (size_t at = 0; at < rows_.rows(); at += kTrialTile) {
      const size_t tile = std::min(kTrialTile, rows_.rows() - at);
      const float* read = rows_.Read(at, tile, scratch.data());
      block(queries, count, read, tile, rows_.dim(), keys.data(), kTrialTile);
      for (size_t i = 0; i < count; ++i) {
        for (size_t r = 0; r < tile; ++r) {
          const float key = keys[i * kTrialTile + r] * (is_l2_ ? 1.0f : -1.0f);
          if (key >= best[i].bound() || at + r == RowOf(begin + i)) continue;
          best[i].Push(key, static_cast<uint32_t>(at + r));
        }
      }
    }
    return best;
  }

  // Codes that most hits ask a query to read.
  static double CostOf(const std::vector<std::vector<size_t>>& needs) {
    std::vector<size_t> all;
    for (const auto& of_query : needs) all.insert(all.end(), of_query.begin(), of_query.end());
    if (all.empty()) return 0;
    const auto place = static_cast<ptrdiff_t>(kTrialRecall * static_cast<double>(all.size() - 1));
    std::nth_element(all.begin(), all.begin() + place, all.end());
    return static_cast<double>(all[static_cast<size_t>(place)]);
  }

  const FloatRows& rows_;
  const Lists& lists_;
  const CodedCentroids& centroids_;
  const bool is_l2_;
  std::vector<size_t> first_sizes_;  // Of each list, by nearest lists alone,
  std::vector<size_t> both_sizes_;   // and with the second ones.
  const size_t asked_;
  std::vector<std::vector<size_t>> first_needs_;  // Of each query: codes up to each of its hits.
  std::vector<std::vector<size_t>> both_needs_;
};

}  // namespace

Result<std::vector<uint32_t>> SecondLists(Context& ctx, const FloatRows& rows, const Lists& lists,
                                          Pool* pool) {
  const size_t dim = rows.dim();
  const CodedCentroids centroids(lists.centroids.data(), lists.centroids.size() / dim, dim,
                                 /*is_l2=*/true);
  std::vector<uint32_t> second(rows.rows());
  const size_t tasks = (rows.rows() + kRowsPerTask - 1) / kRowsPerTask;
  TRY(ForTasks(ctx, pool, tasks, [&](size_t task) {
    SecondChooser chooser(rows, lists, centroids);
    const size_t end = std::min(rows.rows(), (task + 1) * kRowsPerTask);
    for (size_t at = task * kRowsPerTask; at < end; at += kRowsAtOnce) {
      chooser.Choose(at, std::min(kRowsAtOnce, end - at), second.data());
    }
  }));
  return second;
}

Result<bool> SecondListsPay(Context& ctx, const FloatRows& rows, const Lists& lists, bool is_l2,
                            Pool* pool) {
  const size_t dim = rows.dim();
  const CodedCentroids centroids(lists.centroids.data(), lists.centroids.size() / dim, dim, is_l2);
  Trial trial(rows, lists, centroids, is_l2);
  TRY(ForTasks(ctx, pool, trial.tasks(), [&](size_t task) { trial.Run(task); }));
  return trial.Pays();
}

}  // namespace elanus::index
