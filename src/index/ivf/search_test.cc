// Queries that come together share the reading of lists: they get the answers they would get alone.
// Filters: few allowed rows are all scored, more are met list by list.
#include "index/ivf/search.h"

#include <gtest/gtest.h>

#include "index/conformance.h"

namespace elanus::index {
namespace {

constexpr uint32_t kDim = 16;
constexpr size_t kQueries = 270;  // More than one group.

struct Case {
  const char* type;
  Metric metric;
  uint32_t k;
  bool fills;
};

void ExpectTheSameAloneAndTogether(const Case& c) {
  SystemClock clock;
  Context ctx(clock);
  // So many that SCANN puts rows into second lists.
  const Cloud cloud = MakeClusteredCloud(17, 5000, kDim, kQueries);
  const IndexType& type = *FindType(VectorKind::kDense, c.type);
  Params build;
  build.Set("nlist", 80);
  build.Set("m", 8);
  build.Set("refine", 1);
  auto bytes = type.Build(ctx, cloud.block(), c.metric, build, {});
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  const auto owner = std::make_shared<const std::string>(std::move(*bytes));
  const auto index = type.Open(Blob(owner, *owner, owner->size()), cloud.block(), c.metric);
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  for (const int probes : {1, 3, 20, 80}) {
    Params search;
    search.Set("nprobe", probes);
    search.Set("reorder_k", 4 * c.k);
    search.Set("refine_k", 4);
    search.Set("ensure_topk_full", c.fills ? 1 : 0);
    Answer alone(kQueries, c.k);
    Answer together(kQueries, c.k);
    for (size_t q = 0; q < kQueries; ++q) {
      const Hits hits{.rows = alone.rows.data() + q * c.k, .scores = alone.scores.data() + q * c.k};
      ASSERT_TRUE(
          (*index)
              ->Search(ctx,
                       {.queries = cloud.query_block().Slice(q, 1), .k = c.k, .params = search},
                       hits)
              .ok());
    }
    ASSERT_TRUE((*index)
                    ->Search(ctx, {.queries = cloud.query_block(), .k = c.k, .params = search},
                             together.hits())
                    .ok());
    EXPECT_EQ(together.rows, alone.rows) << c.type << " probes " << probes << " k " << c.k;
    // Four rows at once are added up in another order than one.
    for (size_t i = 0; i < alone.scores.size(); ++i) {
      ASSERT_NEAR(together.scores[i], alone.scores[i], 1e-5 * (1 + std::abs(alone.scores[i])));
    }
    const auto missing = std::count(together.rows.begin(), together.rows.end(), kNoRow);
    if (c.fills) {
      EXPECT_EQ(missing, 0);
    } else if (c.k > 100 && probes == 1) {
      EXPECT_GT(missing, 0);  // So that filling is tested by those that fill.
    }
  }
}

TEST(IvfSearch, AnswersQueriesTogetherAsAlone) {
  for (const char* type : {"SCANN", "IVF_PQ", "IVF_RABITQ", "IVF_FLAT", "IVF_SQ8"}) {
    for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
      for (const bool fills : {false, true}) {
        ExpectTheSameAloneAndTogether({.type = type, .metric = metric, .k = 10, .fills = fills});
        ExpectTheSameAloneAndTogether({.type = type, .metric = metric, .k = 200, .fills = fills});
      }
    }
  }
}

class FilteredLists : public VectorIndexConformance {};

// Whichever way the rows are met: 60 of 6000 are fewer than one probe's, half of them are not.
TEST_P(FilteredLists, KeepTheirRecallUnderFilters) {
  constexpr size_t kRows = 6000;
  const Cloud cloud = MakeClusteredCloud(23, kRows, kDim, 60);
  Params search;
  search.Set("nprobe", 2);
  search.Set("refine_k", 10);
  search.Set("reorder_k", 100);
  for (const Metric metric : kMetrics) {
    const auto index = Make(cloud.block(), metric);
    const double plain = Recall(*index, cloud, metric, {}, search);
    for (const size_t keep_one_in : {2u, 5u, 20u, 100u, 1000u}) {
      Bitset allowed(kRows);
      for (size_t i = 0; i < kRows; i += keep_one_in) allowed.Set(i);
      const double recall = Recall(*index, cloud, metric, allowed.view(), search);
      EXPECT_GE(recall, plain - 0.03) << "keep 1 in " << keep_one_in;
      if (keep_one_in >= 100) {
        EXPECT_GE(recall, 0.99) << "keep 1 in " << keep_one_in;
      }
    }
  }
}

// Rows on one side of the cloud: many lists have none of them, and some queries lie far away.
TEST_P(FilteredLists, KeepTheirRecallWhereAFilterLeavesListsOut) {
  constexpr size_t kRows = 6000;
  const Cloud cloud = MakeClusteredCloud(24, kRows, kDim, 60);
  std::vector<size_t> order(kRows);
  for (size_t i = 0; i < kRows; ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return cloud.rows[a * kDim] < cloud.rows[b * kDim]; });
  Params search;
  search.Set("nprobe", 2);
  search.Set("refine_k", 10);
  search.Set("reorder_k", 100);
  for (const Metric metric : kMetrics) {
    const auto index = Make(cloud.block(), metric);
    const double plain = Recall(*index, cloud, metric, {}, search);
    for (const double share : {0.02, 0.05, 0.1, 0.3, 0.6, 0.9}) {
      Bitset allowed(kRows);
      for (size_t i = 0; i < static_cast<size_t>(share * kRows); ++i) allowed.Set(order[i]);
      EXPECT_GE(Recall(*index, cloud, metric, allowed.view(), search), plain - 0.06)
          << static_cast<int>(metric) << " share " << share;
    }
  }
}

// With the candidates of a search near its rows: of rows that lie far, codes tell less.
TEST_P(FilteredLists, KeepTheirRecallFarFromWhatIsAllowed) {
  constexpr size_t kRows = 8000;
  constexpr uint32_t kWide = 64;
  const Cloud cloud = MakeClusteredCloud(25, kRows, kWide, 100);
  Params search;
  search.Set("nprobe", 4);
  const auto index = Make(cloud.block(), Metric::kL2);
  const double plain = Recall(*index, cloud, Metric::kL2, {}, search);
  for (const float below : {-0.5f, 0.0f, 0.5f}) {
    Bitset allowed(kRows);
    for (size_t i = 0; i < kRows; ++i) {
      if (cloud.rows[i * kWide] < below) allowed.Set(i);
    }
    EXPECT_GE(Recall(*index, cloud, Metric::kL2, allowed.view(), search), plain - 0.02) << below;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, FilteredLists,
                         testing::Values(FindType(VectorKind::kDense, "SCANN"),
                                         FindType(VectorKind::kDense, "IVF_RABITQ"),
                                         FindType(VectorKind::kDense, "IVF_FLAT"),
                                         FindType(VectorKind::kDense, "IVF_SQ8")),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace elanus::index
