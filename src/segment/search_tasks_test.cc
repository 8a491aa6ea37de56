// How tasks over segments share the threads there are, and that answers do not depend on it.
#include "segment/search_tasks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "segment/testing/vector_rows.h"

namespace elanus::segment {
namespace {

class ForEachTaskTest : public testing::Test {
 protected:
  // Spins for about so long.
  static void Work(int thousands) {
    volatile double sum = 0;
    for (int i = 0; i < thousands * 1000; ++i) sum = sum + i;
  }
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "test", 4, 64};
  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_F(ForEachTaskTest, WithoutAPoolTheCallerDoesAllInOrder) {
  std::vector<size_t> done;
  ASSERT_TRUE(ForEachTask(ctx_, {}, 5, [&](size_t i) -> Status {
                done.push_back(i);
                return {};
              }).ok());
  EXPECT_EQ(done, (std::vector<size_t>{0, 1, 2, 3, 4}));
}

TEST_F(ForEachTaskTest, ARequestTakesNoMoreThreadsThanItsBudget) {
  for (const int64_t budget : {1, 2, 3}) {
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> done{0};
    const SearchThreads threads{.pool = &pool_, .batch = {.threads_max = budget}};
    ASSERT_TRUE(ForEachTask(ctx_, threads, 64, [&](size_t) -> Status {
                  const int now = ++inside;
                  int known = most.load();
                  while (known < now && !most.compare_exchange_weak(known, now)) {
                  }
                  Work(20);
                  --inside;
                  ++done;
                  return {};
                }).ok());
    EXPECT_EQ(done, 64);
    EXPECT_LE(most, budget);
  }
}

TEST_F(ForEachTaskTest, OneLongTaskKeepsNoneOfTheOthersWaiting) {
  std::atomic<int> others{0};
  const SearchThreads threads{.pool = &pool_};
  ASSERT_TRUE(ForEachTask(ctx_, threads, 40, [&](size_t i) -> Status {
                if (i > 0) {
                  Work(1);
                  ++others;
                  return {};
                }
                // Whoever takes the first task holds it until idle threads have taken all others.
                while (others < 39) TRY(ctx_.CheckAlive());
                return {};
              }).ok());
  EXPECT_EQ(others, 39);
}

TEST_F(ForEachTaskTest, NothingBeginsOnceTheCallerHasGone) {
  std::atomic<int> begun{0};
  const SearchThreads threads{.pool = &pool_};
  const Status ended = ForEachTask(ctx_, threads, 1000, [&](size_t) -> Status {
    if (++begun == 5) ctx_.Cancel();
    return {};
  });
  EXPECT_EQ(ended.code(), ErrorCode::kCanceled);
  EXPECT_LT(begun, 20);
}

class SearchSegmentsTest : public VectorRowsTest {
 protected:
  SearchSegmentsTest() : VectorRowsTest(/*numbers=*/10) {
    for (int q = 0; q < 100; ++q) AddQuery(0.02f * static_cast<float>(q) - 1.0f);
  }
  std::vector<Found> Search(const SearchThreads& threads,
                            std::vector<std::shared_ptr<const SegmentView>> views,
                            const std::string& filter) {
    const auto plan = expr::Bind(filter, views[0]->schema(), {});
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    auto found = SearchSegments(ctx_, threads, views, *plan, search_, Timestamp(100));
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    return std::move(*found);
  }
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "test", 3, 64};
};

TEST_F(SearchSegmentsTest, ABatchIsAnsweredTheSameByOneThreadAndBySeveral) {
  index::Params build;
  build.Set("M", 8);
  build.Set("efConstruction", 40);
  build.Set("nlist", 16);
  const std::vector<std::shared_ptr<const SegmentView>> views{
      WithIndex("FLAT", build), growing_.Snapshot(), WithIndex("HNSW", build),
      WithIndex("IVF_FLAT", build)};
  const auto plan = expr::Bind("", views[0]->schema(), {});
  for (size_t v = 0; v < views.size(); ++v) {
    const auto allowed = SearchableRows(ctx_, *views[v], *plan, search_, Timestamp(100));
    ASSERT_TRUE(allowed.ok());
    const auto shares = SharesBatch(ctx_, *views[v], search_, *allowed);
    ASSERT_TRUE(shares.ok());
    EXPECT_EQ(*shares, v < 2) << v;  // What is scanned.
  }
  for (const char* filter : {"", "number == 3", "number == 77"}) {
    for (const bool boosts : {false, true}) {
      search_.boosting.boosts.clear();
      if (boosts) search_.boosting.boosts.push_back({.filter = "number < 5", .weight = 2.0f});
      const auto alone = Search({}, views, filter);
      for (const int64_t budget : {0, 1, 2}) {
        const SearchThreads threads{.pool = &pool_, .batch = {.threads_max = budget}};
        const auto together = Search(threads, views, filter);
        ASSERT_EQ(together.size(), views.size());
        for (size_t v = 0; v < views.size(); ++v) {
          EXPECT_EQ(together[v].segment, views[v]);
          EXPECT_EQ(together[v].hits.rows, alone[v].hits.rows) << v << " " << filter;
        }
      }
    }
  }
}

}  // namespace
}  // namespace elanus::segment
