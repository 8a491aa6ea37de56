// Fusing hits agrees with numbers worked out by hand.
#include "proxy/rerank/fusion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace elanus::proxy {
namespace {

using model::Metric;

model::PartialHits Hits(const std::vector<std::vector<std::pair<int64_t, float>>>& queries) {
  model::PartialHits hits;
  hits.primary_keys =
      model::MakeColumn(FieldId(100), "id", model::DataType::kInt64, model::DataType::kNone, 0);
  for (const auto& query : queries) {
    hits.counts.push_back(static_cast<uint32_t>(query.size()));
    for (const auto& [key, score] : query) {
      hits.primary_keys.AppendFixed(&key);
      hits.scores.push_back(score);
    }
  }
  return hits;
}

// Keys and scores of one query in their order.
std::vector<std::pair<int64_t, float>> Sorted(const FusedHits& fused, size_t k, size_t query = 0) {
  std::vector<std::pair<int64_t, float>> out;
  const auto orders = SortHits(fused, k, nullptr);
  for (uint32_t place : orders[query]) {
    out.emplace_back(fused.hits.primary_keys.view().Get<int64_t>(place), fused.hits.scores[place]);
  }
  return out;
}

TEST(Fuse, RrfAddsReciprocalRanksAndTiesGoToTheSmallerKey) {
  const auto a = Hits({{{7, 0.1f}, {3, 0.2f}}});
  const auto b = Hits({{{3, 9.0f}, {7, 8.0f}, {5, 7.0f}}});
  Ranker ranker{.kind = Ranker::Kind::kRrf};
  const std::vector<Path> paths = {{&a, Metric::kL2}, {&b, Metric::kIp}};
  const auto sorted = Sorted(Fuse(ranker, paths), 10);
  const auto both = static_cast<float>(1.0 / 61 + 1.0 / 62);
  const std::vector<std::pair<int64_t, float>> expected = {
      {3, both}, {7, both}, {5, static_cast<float>(1.0 / 63)}};
  EXPECT_EQ(sorted, expected);
}

TEST(Fuse, WeightedDistancesStayDistances) {
  const auto a = Hits({{{1, 1.0f}, {2, 4.0f}}});
  const auto b = Hits({{{2, 2.0f}, {1, 8.0f}}});
  Ranker ranker{.kind = Ranker::Kind::kWeighted, .weights = {0.5, 0.25}};
  const std::vector<Path> paths = {{&a, Metric::kL2}, {&b, Metric::kHamming}};
  const FusedHits fused = Fuse(ranker, paths);
  EXPECT_FALSE(fused.larger_is_better);
  const std::vector<std::pair<int64_t, float>> expected = {{1, 2.5f}, {2, 2.5f}};
  EXPECT_EQ(Sorted(fused, 10), expected);
}

TEST(Fuse, MixedMetricsAreMadeComparable) {
  const auto a = Hits({{{1, 1.0f}}});
  const auto b = Hits({{{1, 0.5f}}});
  Ranker ranker{.kind = Ranker::Kind::kWeighted, .weights = {1, 1}};
  const std::vector<Path> paths = {{&a, Metric::kL2}, {&b, Metric::kCosine}};
  const FusedHits fused = Fuse(ranker, paths);
  EXPECT_TRUE(fused.larger_is_better);
  EXPECT_FLOAT_EQ(fused.hits.scores[0], 0.5f + 0.5f) << "1 - 2 atan(1) / pi is a half";
}

TEST(ComparableScore, NormalisesEachMetricIntoZeroToOne) {
  constexpr double kPi = std::numbers::pi;
  EXPECT_DOUBLE_EQ(ComparableScore(Metric::kCosine, 0.5, true), 0.75);
  EXPECT_DOUBLE_EQ(ComparableScore(Metric::kIp, 1, true), 0.5 + std::atan(1) / kPi);
  EXPECT_DOUBLE_EQ(ComparableScore(Metric::kBm25, 3, true), 2 * std::atan(3) / kPi);
  EXPECT_DOUBLE_EQ(ComparableScore(Metric::kJaccard, 0, true), 1);
  EXPECT_DOUBLE_EQ(ComparableScore(Metric::kIp, 7, false), 7);
}

TEST(Decay, FallsToTheDecayAtTheScale) {
  for (model::DecayCurve::Shape shape :
       {model::DecayCurve::Shape::kGauss, model::DecayCurve::Shape::kExp,
        model::DecayCurve::Shape::kLinear}) {
    model::DecayCurve decay{.shape = shape, .origin = 10, .scale = 4, .offset = 2, .decay = 0.3};
    EXPECT_DOUBLE_EQ(decay.FactorAt(10), 1);
    EXPECT_DOUBLE_EQ(decay.FactorAt(12), 1) << "inside the offset";
    EXPECT_NEAR(decay.FactorAt(16), 0.3, 1e-12);
    EXPECT_NEAR(decay.FactorAt(4), 0.3, 1e-12);
    EXPECT_LT(decay.FactorAt(15), decay.FactorAt(13));
  }
  const model::DecayCurve linear{
      .shape = model::DecayCurve::Shape::kLinear, .scale = 1, .decay = 0.5};
  EXPECT_DOUBLE_EQ(linear.FactorAt(100), 0.5) << "no less than the decay";
}

TEST(SortHits, GroupsGoByTheirScorer) {
  FusedHits fused{.hits = Hits({{{1, 5.0f}, {2, 4.0f}, {3, 4.0f}, {4, 3.0f}}})};
  model::Column group =
      model::MakeColumn(FieldId(101), "g", model::DataType::kInt64, model::DataType::kNone, 0);
  for (int64_t value : {7, 8, 8, 9}) group.AppendFixed(&value);
  fused.hits.group_values = {group};
  GroupOrder order{.groups_max = 2, .group_size = 2, .scorer = ScoreMode::kMax};
  EXPECT_EQ(SortHits(fused, 2, &order)[0], (std::vector<uint32_t>{0, 1, 2}));
  order.scorer = ScoreMode::kSum;
  EXPECT_EQ(SortHits(fused, 2, &order)[0], (std::vector<uint32_t>{1, 2, 0}));
  order.scorer = ScoreMode::kAvg;
  EXPECT_EQ(SortHits(fused, 2, &order)[0], (std::vector<uint32_t>{0, 1, 2}));
}

TEST(RoundScores, RoundsHalvesUp) {
  std::vector<float> scores = {0.125f, -0.125f, 2.0f};
  RoundScores(2, scores);
  EXPECT_EQ(scores, (std::vector<float>{0.13f, -0.12f, 2.0f}));
}

}  // namespace
}  // namespace elanus::proxy
