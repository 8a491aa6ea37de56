// An exact scan answers a query the same alone and in a batch, whatever the rows are like.
#include "index/flat/exact.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "index/conformance.h"
#include "index/exact_batch.h"

namespace elanus::index {
namespace {

// Rows that are equal, zero, far from the origin and near to each other, and of all sizes.
Cloud DifficultCloud(size_t rows, uint32_t dim, size_t queries) {
  Cloud cloud = MakeClusteredCloud(3, rows, dim, queries);
  const auto change = [&](std::vector<float>& values) {
    for (size_t r = 0; r * dim < values.size(); ++r) {
      float* row = values.data() + r * dim;
      for (uint32_t d = 0; d < dim; ++d) {
        if (r % 5 == 1) row[d] = 1000 + 1e-2f * row[d];
        if (r % 5 == 2) row[d] *= 1e-3f;
        if (r % 11 == 3) row[d] = 0;
        if (r % 11 == 4) row[d] = static_cast<float>(d);
        if (r % 97 == 5) row[d] *= 1e18f;
      }
    }
  };
  change(cloud.rows);
  change(cloud.queries);
  return cloud;
}

TEST(ScanExact, AnswersAQueryTheSameAloneAndInABatch) {
  SystemClock clock;
  Context ctx(clock);
  for (const uint32_t dim : {1u, 16u, 37u}) {
    for (const size_t rows : {size_t{5}, size_t{64}, size_t{1000}}) {
      const Cloud cloud = DifficultCloud(rows, dim, 211);
      for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
        for (const uint32_t k : {1u, 10u, 100u}) {
          Answer alone(211, k);
          Answer batch(211, k);
          for (size_t q = 0; q < 211; ++q) {
            const Hits hits{.rows = alone.rows.data() + q * k,
                            .scores = alone.scores.data() + q * k};
            const SearchRequest one{
                .queries = cloud.query_block().Slice(q, 1), .k = k, .params = {}};
            ASSERT_TRUE(ScanExact(ctx, cloud.block(), metric, nullptr, one, hits).ok());
          }
          const SearchRequest all{.queries = cloud.query_block(), .k = k, .params = {}};
          ASSERT_TRUE(ScanExact(ctx, cloud.block(), metric, nullptr, all, batch.hits()).ok());
          ASSERT_EQ(batch.rows, alone.rows) << dim << " " << rows << " " << k;
          ASSERT_EQ(batch.scores, alone.scores) << dim << " " << rows << " " << k;
        }
      }
    }
  }
}

TEST(ScanExact, AnswersTheSameWhereSeveralThreadsShareTheRows) {
  constexpr size_t kRows = 9000;
  constexpr size_t kQueries = 70;
  SystemClock clock;
  Context ctx(clock);
  const std::unique_ptr<Executor> executor = MakeThreadExecutor();
  Pool pool(*executor, "test", 3, 64);
  const Helpers helpers{.pool = &pool, .max = 3};
  const Cloud cloud = DifficultCloud(kRows, 16, kQueries);
  Bitset third(kRows);
  for (size_t i = 0; i < kRows; i += 3) third.Set(i);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    for (const uint32_t k : {1u, 10u, 140u, 141u}) {
      EXPECT_EQ(SharesExactBatch(nullptr, cloud.block(), metric, k), k <= 140);
      for (const BitsetView allowed : {BitsetView(), third.view()}) {
        const SearchRequest request{
            .queries = cloud.query_block(), .k = k, .params = {}, .allowed = allowed};
        Answer alone(kQueries, k);
        ASSERT_TRUE(ScanExact(ctx, cloud.block(), metric, nullptr, request, alone.hits()).ok());
        Answer shared(kQueries, k);
        ASSERT_TRUE(
            SearchExactTogether(ctx, helpers, cloud.block(), metric, request, shared.hits()).ok());
        ASSERT_EQ(shared.rows, alone.rows) << k;
        ASSERT_EQ(shared.scores, alone.scores) << k;
      }
    }
  }
  ctx.Cancel();
  Answer none(kQueries, 1);
  const SearchRequest request{.queries = cloud.query_block(), .k = 1, .params = {}};
  EXPECT_EQ(
      SearchExactTogether(ctx, helpers, cloud.block(), Metric::kL2, request, none.hits()).code(),
      ErrorCode::kCanceled);
}

TEST(SharesExactBatch, SaysYesWhereRowsAreScanned) {
  const Cloud cloud = MakeClusteredCloud(5, 4000, 8, 1);
  const auto shares = [&](const char* name, const VectorBlock& rows, Metric metric) {
    return SharesExactBatch(FindType(VectorKind::kDense, name), rows, metric, 10);
  };
  EXPECT_TRUE(shares("FLAT", cloud.block(), Metric::kL2));
  EXPECT_FALSE(shares("GPU_BRUTE_FORCE", cloud.block(), Metric::kIp));  // Refuses some searches.
  EXPECT_FALSE(shares("HNSW", cloud.block(), Metric::kL2));
  EXPECT_FALSE(shares("FLAT", cloud.block(), Metric::kMaxSimIp));
  EXPECT_FALSE(shares("FLAT", cloud.block().Slice(0, 500), Metric::kL2));
  VectorBlock bits = cloud.block();
  bits.element = ElementType::kBit;
  EXPECT_FALSE(SharesExactBatch(nullptr, bits, Metric::kHamming, 10));
}

TEST(ScanExact, KeepsTheRangeInABatch) {
  SystemClock clock;
  Context ctx(clock);
  const Cloud cloud = MakeClusteredCloud(4, 700, 24, 20);
  SearchRequest request{.queries = cloud.query_block(), .k = 30, .params = {}};
  request.range = {.radius = 12.0f, .range_filter = 6.0f};
  Answer got(20, 30);
  ASSERT_TRUE(ScanExact(ctx, cloud.block(), Metric::kL2, nullptr, request, got.hits()).ok());
  size_t found = 0;
  for (size_t i = 0; i < got.rows.size(); ++i) {
    if (got.rows[i] == kNoRow) continue;
    ++found;
    EXPECT_GE(got.scores[i], 6.0f);
    EXPECT_LT(got.scores[i], 12.0f);
  }
  EXPECT_GT(found, 50u);
}

}  // namespace
}  // namespace elanus::index
