// Refine codes of lists.
#include "index/ivf/list_refiner.h"

#include <gtest/gtest.h>

#include "index/conformance.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDim = 32;
constexpr double kSq8 = 1;  // Of refine_type's choices.

class ListRefiner : public VectorIndexConformance {
 protected:
  std::unique_ptr<VectorIndex> MakeRefined(const Cloud& cloud, Metric metric) {
    Params build = BuildParams(kDim);
    build.Set("refine_type", kSq8);
    return Open(Build(cloud.block(), metric, build, {.pool = &pool_}), cloud.block(), metric);
  }
};

// A cloud whose clusters are far apart and small: 8 bits of what all rows span do not tell the rows
// of a cluster apart, 8 bits of what a list spans do.
Cloud SmallClusters() {
  Cloud cloud = MakeClusteredCloud(31, 3000, kDim, 50);
  std::mt19937 rng(7);
  std::normal_distribution<float> normal;
  std::vector<float> far(8 * kDim);
  for (float& v : far) v = 3 * normal(rng);
  const auto move = [&](std::vector<float>& rows) {
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = 0.1f * rows[i] + far[i / kDim % 8 * kDim + i % kDim];
  };
  move(cloud.rows);
  move(cloud.queries);
  return cloud;
}

TEST_P(ListRefiner, TellsRowsOfAListApart) {
  const Cloud cloud = SmallClusters();
  Params search;
  search.Set("nprobe", 32);
  search.Set("refine_k", 50);
  for (const Metric metric : {Metric::kL2, Metric::kIp}) {
    const auto index = MakeRefined(cloud, metric);
    EXPECT_GE(Recall(*index, cloud, metric, {}, search), 0.93) << static_cast<int>(metric);
  }
}

TEST_P(ListRefiner, AnswersWithKeysOfRowsAndStreamsTheSame) {
  const Cloud cloud = SmallClusters();
  Params search;
  search.Set("nprobe", 32);
  search.Set("refine_k", 50);
  for (const Metric metric : kMetrics) {
    const auto index = MakeRefined(cloud, metric);
    constexpr uint32_t kK = 10;
    Answer got(1, kK);
    const VectorBlock query = cloud.query_block().Slice(3, 1);
    ASSERT_TRUE(
        index->Search(ctx_, {.queries = query, .k = kK, .params = search}, got.hits()).ok());
    for (uint32_t i = 0; i < kK; ++i) {
      const float* row = cloud.rows.data() + got.rows[i] * kDim;
      const auto* q = static_cast<const float*>(query.data);
      float rows_square = 0, query_square = 0, product = 0, distance = 0;
      for (uint32_t d = 0; d < kDim; ++d) {
        product += row[d] * q[d];
        rows_square += row[d] * row[d];
        query_square += q[d] * q[d];
        distance += (row[d] - q[d]) * (row[d] - q[d]);
      }
      const float exact = metric == Metric::kL2   ? distance
                          : metric == Metric::kIp ? product
                                                  : product / std::sqrt(rows_square * query_square);
      EXPECT_NEAR(got.scores[i], exact, 0.02f * std::abs(exact)) << static_cast<int>(metric);
    }
    const auto stream = index->Stream(ctx_, {.query = query, .params = search});
    ASSERT_TRUE(stream.ok());
    Answer streamed(1, kK);
    const auto count = (*stream)->Next(ctx_, kK, streamed.hits());
    ASSERT_TRUE(count.ok());
    ASSERT_EQ(*count, kK);
    EXPECT_NEAR(streamed.scores[0], got.scores[0], 1e-3f * std::abs(got.scores[0]));
  }
}

INSTANTIATE_TEST_SUITE_P(Types, ListRefiner,
                         testing::Values(FindType(VectorKind::kDense, "IVF_RABITQ"),
                                         FindType(VectorKind::kDense, "IVF_PQ")),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace elanus::index
