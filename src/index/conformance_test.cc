// Every registered index type keeps the interface's promises.
#include "index/conformance.h"
#include "base/aligned_copy.h"

namespace elanus::index {
namespace {

TEST_P(VectorIndexConformance, KeepsRecallWithAndWithoutFilters) {
  const Cloud cloud = MakeClusteredCloud(7, 6000, 48, 40);
  for (Metric metric : kMetrics) {
    const auto index = Make(cloud.block(), metric);
    EXPECT_GE(Recall(*index, cloud, metric, {}), 0.95) << NameOf(metric);
    for (size_t keep_one_in : {2u, 10u, 100u, 1000u}) {
      Bitset allowed(6000);
      for (size_t i = 0; i < 6000; i += keep_one_in) allowed.Set(i);
      EXPECT_GE(Recall(*index, cloud, metric, allowed.view()), 0.95)
          << NameOf(metric) << " keep 1 in " << keep_one_in;
    }
  }
}

TEST_P(VectorIndexConformance, KeepsRecallWhenTheFilterKeepsOnlyFarRows) {
  const Cloud cloud = MakeClusteredCloud(9, 6000, 48, 20);
  const auto index = Make(cloud.block(), Metric::kL2);
  Bitset allowed(6000);
  for (size_t i = 0; i < 6000; ++i) {
    if (cloud.rows[i * 48] > 1.0f) allowed.Set(i);
  }
  EXPECT_GE(Recall(*index, cloud, Metric::kL2, allowed.view()), 0.95);
}

TEST_P(VectorIndexConformance, AnswersFewerRowsThanK) {
  const Cloud cloud = MakeClusteredCloud(3, 5, 8, 3);
  for (Metric metric : kMetrics) {
    const auto index = Make(cloud.block(), metric);
    Answer got(3, 20);
    ASSERT_TRUE(
        index
            ->Search(ctx_,
                     {.queries = cloud.query_block(), .k = 20, .params = Wide(), .allowed = {}},
                     got.hits())
            .ok());
    for (size_t q = 0; q < 3; ++q) {
      EXPECT_EQ(std::count(got.rows.begin() + q * 20, got.rows.begin() + (q + 1) * 20, kNoRow), 15);
    }
  }
}

TEST_P(VectorIndexConformance, AnswersNothingWhenNothingIsAllowedOrThere) {
  const Cloud cloud = MakeClusteredCloud(3, 100, 8, 2);
  const Bitset none(100);
  const auto index = Make(cloud.block(), Metric::kCosine);
  Answer got(2, 5);
  ASSERT_TRUE(
      index
          ->Search(
              ctx_,
              {.queries = cloud.query_block(), .k = 5, .params = Wide(), .allowed = none.view()},
              got.hits())
          .ok());
  EXPECT_EQ(std::count(got.rows.begin(), got.rows.end(), kNoRow), 10);
  Cloud empty{.dim = 8, .rows = {}, .queries = cloud.queries};
  const auto nothing = Make(empty.block(), Metric::kL2);
  ASSERT_TRUE(
      nothing
          ->Search(ctx_, {.queries = empty.query_block(), .k = 5, .params = Wide(), .allowed = {}},
                   got.hits())
          .ok());
  EXPECT_EQ(std::count(got.rows.begin(), got.rows.end(), kNoRow), 10);
}

TEST_P(VectorIndexConformance, ScoresZeroVectorsZeroUnderCosine) {
  Cloud cloud = MakeClusteredCloud(5, 50, 8, 1);
  std::fill_n(cloud.rows.begin(), 8, 0.0f);
  const auto index = Make(cloud.block(), Metric::kCosine);
  Answer got(1, 50);
  Params params = Wide();
  ASSERT_TRUE(
      index
          ->Search(ctx_, {.queries = cloud.query_block(), .k = 50, .params = params, .allowed = {}},
                   got.hits())
          .ok());
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_TRUE(got.rows[i] != 0 || got.scores[i] == 0.0f);
    EXPECT_LE(std::abs(got.scores[i]), 1.0001f);
  }
}

TEST_P(VectorIndexConformance, OrdersHitsAndScoresThemAsOnTheWire) {
  const Cloud cloud = MakeClusteredCloud(11, 2000, 16, 10);
  for (Metric metric : kMetrics) {
    const auto index = Make(cloud.block(), metric);
    Answer got(10, 30), want(10, 30);
    ASSERT_TRUE(
        index
            ->Search(ctx_,
                     {.queries = cloud.query_block(), .k = 30, .params = Wide(), .allowed = {}},
                     got.hits())
            .ok());
    for (size_t q = 0; q < 10; ++q) {
      for (size_t i = 1; i < 30; ++i) {
        const float a = got.scores[q * 30 + i - 1];
        const float b = got.scores[q * 30 + i];
        EXPECT_TRUE(model::LargerIsBetter(metric) ? a >= b : a <= b);
      }
      const float* row = cloud.rows.data() + got.rows[q * 30] * 16;
      const float* query = cloud.queries.data() + q * 16;
      double l2 = 0, ip = 0, nr = 0, nq = 0;
      for (int d = 0; d < 16; ++d) {
        l2 += (row[d] - query[d]) * (row[d] - query[d]);
        ip += row[d] * query[d];
        nr += row[d] * row[d];
        nq += query[d] * query[d];
      }
      const double expected = metric == Metric::kL2   ? l2
                              : metric == Metric::kIp ? ip
                                                      : ip / std::sqrt(nr * nq);
      EXPECT_NEAR(got.scores[q * 30], expected, 1e-3 * std::max(1.0, std::abs(expected)));
    }
  }
}

TEST_P(VectorIndexConformance, FindsAllThatWasAskedForAmongEqualRows) {
  Cloud cloud = MakeClusteredCloud(3, 5, 8, 4);
  const std::vector<float> five = cloud.rows;
  while (cloud.rows.size() < 1200 * 8)
    cloud.rows.insert(cloud.rows.end(), five.begin(), five.end());
  for (Metric metric : kMetrics) {
    const auto index = Make(cloud.block(), metric);
    Answer got(4, 300);
    Params params;
    params.Set("ef", 300);
    params.Set("ensure_topk_full", 1);
    ASSERT_TRUE(
        index
            ->Search(ctx_,
                     {.queries = cloud.query_block(), .k = 300, .params = params, .allowed = {}},
                     got.hits())
            .ok());
    EXPECT_EQ(std::count(got.rows.begin(), got.rows.end(), kNoRow), 0) << NameOf(metric);
  }
}

TEST_P(VectorIndexConformance, RefusesDamagedFiles) {
  const Cloud cloud = MakeClusteredCloud(3, 200, 8, 1);
  Make(cloud.block(), Metric::kCosine);
  const std::string good = *file_;
  std::mt19937 rng(1);
  for (int i = 0; i < 200; ++i) {
    std::string bad = good;
    bad[rng() % bad.size()] ^= static_cast<char>(1 + rng() % 255);
    EXPECT_EQ(GetParam()->Open(AlignedCopy(bad), cloud.block(), Metric::kCosine).status().code(),
              ErrorCode::kIntegrity);
    EXPECT_EQ(GetParam()
                  ->Open(AlignedCopy(std::string_view(good).substr(0, rng() % good.size())),
                         cloud.block(), Metric::kCosine)
                  .status()
                  .code(),
              ErrorCode::kIntegrity);
  }
}

TEST_P(VectorIndexConformance, StopsWhenCancelled) {
  const Cloud cloud = MakeClusteredCloud(3, 3000, 32, 1);
  Context cancelled(clock_);
  cancelled.Cancel();
  const auto built = GetParam()->Build(cancelled, cloud.block(), Metric::kCosine, {}, {});
  EXPECT_EQ(built.status().code(), ErrorCode::kCanceled);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, VectorIndexConformance,
                         testing::ValuesIn(TypesOf(VectorKind::kDense)),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(Params, RefuseWhatIsNoNumberOrOutOfRange) {
  const auto specs = FindType(VectorKind::kDense, "HNSW")->params;
  EXPECT_TRUE(ParseParams(specs, Phase::kBuild, {{"M", "16"}, {"unknown", "x"}}).ok());
  for (const char* bad : {"8.0", "abc", "", "1", "2049", "-3", "99999999999999999999"}) {
    EXPECT_EQ(ParseParams(specs, Phase::kBuild, {{"M", bad}}).status().code(),
              ErrorCode::kInvalidParameter)
        << bad;
  }
}

TEST(Hnsw, RefusesAnEfBelowK) {
  const Cloud cloud = MakeClusteredCloud(3, 100, 8, 1);
  SystemClock clock;
  Context ctx(clock);
  auto bytes = FindType(VectorKind::kDense, "HNSW")->Build(ctx, cloud.block(), Metric::kL2, {}, {});
  ASSERT_TRUE(bytes.ok());
  auto owner = std::make_shared<const std::string>(std::move(*bytes));
  auto index = FindType(VectorKind::kDense, "HNSW")
                   ->Open(Blob(owner, *owner, owner->size()), cloud.block(), Metric::kL2);
  ASSERT_TRUE(index.ok());
  Params params;
  params.Set("ef", 5);
  Answer got(1, 10);
  EXPECT_EQ(
      (*index)
          ->Search(ctx, {.queries = cloud.query_block(), .k = 10, .params = params, .allowed = {}},
                   got.hits())
          .code(),
      ErrorCode::kSegcore);
}

}  // namespace
}  // namespace elanus::index
