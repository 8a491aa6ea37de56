// What sketches promise: keys below the true ones, and few rows left over.
#include "index/codes/sketches.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"
#include "index/codes/codec_sample.h"
#include "index/top_k.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 3000;
constexpr size_t kQueries = 50;

// Clusters around a common middle, as embeddings lie.
Sample DrawClusters(uint32_t dim, size_t rows, uint32_t seed) {
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  std::vector<float> centres(20 * dim);
  for (float& value : centres) value = 1.0f + normal(rng);
  rng.seed(seed);
  Sample sample{.dim = dim, .values = {}};
  for (size_t r = 0; r < rows; ++r) {
    const float* centre = centres.data() + rng() % 20 * dim;
    for (uint32_t d = 0; d < dim; ++d) sample.values.push_back(centre[d] + 0.3f * normal(rng));
  }
  return sample;
}

class SketchesOf : public testing::TestWithParam<std::tuple<uint32_t, bool>> {
 protected:
  uint32_t dim() const { return std::get<0>(GetParam()); }
  bool is_l2() const { return std::get<1>(GetParam()); }
  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_P(SketchesOf, LieBelowTheKeysAndLeaveFewRows) {
  const Sample rows = DrawClusters(dim(), kRows, 2);
  const Sample queries = DrawClusters(dim(), kQueries, 3);
  const auto bytes = MakeSketches(ctx_, rows.block(), is_l2(), nullptr);
  ASSERT_TRUE(bytes.ok());
  ASSERT_EQ(bytes->size(), SketchLayout(kRows, dim(), is_l2()).end);
  const Sketches sketches(bytes->data(), kRows, dim(), is_l2());
  const auto scorer = sketches.NewScorer();
  size_t above = 0;
  size_t left = 0;
  std::vector<float> least(kRows);
  for (size_t q = 0; q < kQueries; ++q) {
    scorer->SetQuery(queries.row(q));
    scorer->ScoreRange(0, kRows, least.data());
    std::vector<double> keys(kRows);
    for (size_t i = 0; i < kRows; ++i) {
      keys[i] = KeyOf(is_l2(), queries.row(q), rows.row(i), dim());
      above += least[i] > keys[i] ? 1 : 0;
    }
    std::vector<double> sorted = keys;
    std::nth_element(sorted.begin(), sorted.begin() + 9, sorted.end());
    left += static_cast<size_t>(
        std::count_if(least.begin(), least.end(), [&](float key) { return key <= sorted[9]; }));
  }
  // 2.5 standard deviations are one row in 160.
  EXPECT_LT(above, kQueries * kRows / 80);
  EXPECT_LT(left, kQueries * kRows / 8);
}

TEST_P(SketchesOf, ChosenRowsHaveTheKeysOfAllRows) {
  const Sample rows = DrawClusters(dim(), 500, 4);
  const auto bytes = MakeSketches(ctx_, rows.block(), is_l2(), nullptr);
  ASSERT_TRUE(bytes.ok());
  const Sketches sketches(bytes->data(), 500, dim(), is_l2());
  const auto scorer = sketches.NewScorer();
  scorer->SetQuery(rows.row(7));
  std::vector<float> all(500);
  scorer->ScoreRange(0, 500, all.data());
  for (size_t count : {1, 2, 3, 4, 5, 31, 33, 70}) {
    std::vector<uint32_t> chosen(count);
    for (size_t i = 0; i < count; ++i) chosen[i] = static_cast<uint32_t>((i * 37 + 11) % 500);
    std::vector<float> keys(count);
    scorer->Score(chosen.data(), count, keys.data());
    for (size_t i = 0; i < count; ++i) EXPECT_FLOAT_EQ(keys[i], all[chosen[i]]);
  }
}

INSTANTIATE_TEST_SUITE_P(Dims, SketchesOf,
                         testing::Combine(testing::Values(64u, 100u, 384u), testing::Bool()));

TEST(Sketches, AreNotMadeWhereTheyWouldRuleOutTooLittle) {
  SystemClock clock;
  Context ctx(clock);
  // Two clouds far apart: what a bit tells is in which of them a row lies.
  Sample clouds = Draw(Shape::kNormal, kRows, 64, 5);
  for (size_t i = 0; i < clouds.values.size(); ++i) {
    clouds.values[i] += i / 64 % 2 == 0 ? 500.0f : -500.0f;
  }
  const auto bytes = MakeSketches(ctx, clouds.block(), true, nullptr);
  ASSERT_TRUE(bytes.ok());
  EXPECT_TRUE(bytes->empty());
}

TEST(Sketches, AreMadeOfRowsThatAreAllEqual) {
  SystemClock clock;
  Context ctx(clock);
  const Sample same = Draw(Shape::kConstant, 200, 64, 6);
  for (const bool is_l2 : {false, true}) {
    const auto bytes = MakeSketches(ctx, same.block(), is_l2, nullptr);
    ASSERT_TRUE(bytes.ok());
    // Every row is as near as the nearest: none can be ruled out.
    EXPECT_TRUE(bytes->empty());
  }
}

TEST(Sketches, AreCancelled) {
  SystemClock clock;
  Context ctx(clock);
  ctx.Cancel();
  const Sample rows = DrawClusters(64, 500, 7);
  EXPECT_EQ(MakeSketches(ctx, rows.block(), true, nullptr).status().code(), ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::index
