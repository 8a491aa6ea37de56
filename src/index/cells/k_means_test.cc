// k-means: clusters that are there are found, none stays empty, and every row has its nearest.
#include "index/cells/k_means.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

namespace elanus::index {
namespace {

double Distance(const float* a, const float* b, uint32_t dim) {
  double sum = 0;
  for (uint32_t d = 0; d < dim; ++d) sum += (a[d] - b[d]) * static_cast<double>(a[d] - b[d]);
  return sum;
}

std::vector<float> DrawRows(size_t rows, uint32_t dim, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * dim);
  for (float& v : values) v = normal(rng);
  return values;
}

class KMeansTest : public testing::Test {
 protected:
  std::vector<float> Train(VectorBlock rows, size_t count, Pool* pool) {
    auto centroids = TrainCentroids(ctx_, rows, count, pool);
    EXPECT_TRUE(centroids.ok()) << centroids.status().ToString();
    return std::move(*centroids);
  }

  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "build", 3, 64};
};

TEST_F(KMeansTest, GivesEachRowItsNearestCentroid) {
  for (uint32_t dim : {1u, 7u, 48u, 129u}) {
    const std::vector<float> values = DrawRows(700, dim, dim);
    const VectorBlock rows{.data = values.data(), .rows = 700, .dim = dim};
    for (size_t count : {size_t{1}, size_t{63}, size_t{65}, size_t{200}}) {
      const std::vector<float> centroids = Train(rows, count, &pool_);
      ASSERT_EQ(centroids.size(), count * dim);
      const auto nearest = AssignRows(ctx_, rows, centroids, nullptr);
      ASSERT_TRUE(nearest.ok());
      for (size_t r = 0; r < rows.rows; ++r) {
        double least = std::numeric_limits<double>::infinity();
        for (size_t c = 0; c < count; ++c) {
          least = std::min(least, Distance(rows.row(r), centroids.data() + c * dim, dim));
        }
        const float* chosen = centroids.data() + nearest.value()[r] * dim;
        ASSERT_NEAR(Distance(rows.row(r), chosen, dim), least, 1e-4 * (least + dim));
      }
    }
  }
}

TEST_F(KMeansTest, LeavesLittleBeyondWhatClustersSpread) {
  constexpr uint32_t kDim = 8;
  std::vector<float> values = DrawRows(2000, kDim, 3);
  for (size_t r = 0; r < 2000; ++r) values[r * kDim + r % 4] += 100;
  const VectorBlock rows{.data = values.data(), .rows = 2000, .dim = kDim};
  const std::vector<float> centroids = Train(rows, 16, &pool_);
  const auto nearest = AssignRows(ctx_, rows, centroids, &pool_);
  ASSERT_TRUE(nearest.ok());
  double left = 0;
  for (size_t r = 0; r < 2000; ++r) {
    left += Distance(rows.row(r), centroids.data() + nearest.value()[r] * kDim, kDim) / 2000;
  }
  EXPECT_LT(left, kDim);
}

// The first iterations look at a part of the sample; that must not cost more than a little of what
// the same number of iterations over all of it would gain.
TEST_F(KMeansTest, IsAsGoodAsIterationsOverTheWholeSample) {
  constexpr uint32_t kDim = 24;
  constexpr size_t kCentroids = 32;
  std::vector<float> values = DrawRows(kCentroids * 256, kDim, 8);
  const std::vector<float> centres = DrawRows(200, kDim, 9);
  for (size_t r = 0; r < kCentroids * 256; ++r) {
    for (uint32_t d = 0; d < kDim; ++d) {
      values[r * kDim + d] = 0.5f * values[r * kDim + d] + centres[r * 31 % 200 * kDim + d];
    }
  }
  const VectorBlock rows{.data = values.data(), .rows = kCentroids * 256, .dim = kDim};
  const auto left_by = [&](const std::vector<float>& centroids, std::vector<uint32_t>& nearest) {
    nearest = *AssignRows(ctx_, rows, centroids, &pool_);
    double left = 0;
    for (size_t r = 0; r < rows.rows; ++r) {
      left += Distance(rows.row(r), centroids.data() + nearest[r] * kDim, kDim);
    }
    return left;
  };
  std::vector<uint32_t> nearest;
  std::vector<float> lloyd(values.begin(), values.begin() + kCentroids * kDim);
  for (int iteration = 0; iteration < 10; ++iteration) {
    left_by(lloyd, nearest);
    std::vector<double> sums(lloyd.size(), 0.0);
    std::vector<double> sizes(kCentroids, 1e-9);
    for (size_t r = 0; r < rows.rows; ++r) {
      ++sizes[nearest[r]];
      for (uint32_t d = 0; d < kDim; ++d) sums[nearest[r] * kDim + d] += rows.row(r)[d];
    }
    for (size_t i = 0; i < lloyd.size(); ++i) {
      lloyd[i] = static_cast<float>(sums[i] / sizes[i / kDim]);
    }
  }
  EXPECT_LE(left_by(Train(rows, kCentroids, &pool_), nearest), 1.02 * left_by(lloyd, nearest));
}

TEST_F(KMeansTest, IsTheSameOnOneThreadAndOnSeveral) {
  const std::vector<float> values = DrawRows(3000, 16, 4);
  const VectorBlock rows{.data = values.data(), .rows = 3000, .dim = 16};
  EXPECT_EQ(Train(rows, 20, nullptr), Train(rows, 20, &pool_));
}

TEST_F(KMeansTest, TakesEqualRowsAndAsManyCentroidsAsRows) {
  const std::vector<float> equal(size_t{50} * 4, 2.0f);
  for (float v : Train({.data = equal.data(), .rows = 50, .dim = 4}, 8, nullptr)) {
    EXPECT_NEAR(v, 2.0f, 0.1f);
  }
  const std::vector<float> values = DrawRows(30, 4, 4);
  const VectorBlock rows{.data = values.data(), .rows = 30, .dim = 4};
  const auto nearest = AssignRows(ctx_, rows, Train(rows, 30, nullptr), nullptr);
  ASSERT_TRUE(nearest.ok());
  EXPECT_EQ(std::set<uint32_t>(nearest.value().begin(), nearest.value().end()).size(), 30u);
}

TEST_F(KMeansTest, StopsWhenCancelled) {
  const std::vector<float> values = DrawRows(300, 4, 4);
  const VectorBlock rows{.data = values.data(), .rows = 300, .dim = 4};
  ctx_.Cancel();
  EXPECT_EQ(TrainCentroids(ctx_, rows, 8, &pool_).status().code(), ErrorCode::kCanceled);
  EXPECT_EQ(AssignRows(ctx_, rows, std::vector<float>(8), nullptr).status().code(),
            ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::index
