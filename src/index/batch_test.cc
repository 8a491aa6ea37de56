// How batches are cut.
#include "index/batch.h"

#include <gtest/gtest.h>

namespace elanus::index {
namespace {

class BatchTest : public testing::Test {
 protected:
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "search", 1, 64};  // With the thread that asks: two.
};

TEST_F(BatchTest, LeavesFewQueriesInOneTask) {
  for (size_t nq : {1u, 5u, 16u}) {
    EXPECT_EQ(CutQueries(pool_, {}, {.queries = nq}), (std::vector<size_t>{0, nq}));
  }
  EXPECT_EQ(CutQueries(pool_, {}, {.queries = 17}), (std::vector<size_t>{0, 16, 17}));
  EXPECT_EQ(CutQueries(pool_, {.queries_min = 100}, {.queries = 90}), (std::vector<size_t>{0, 90}));
}

TEST_F(BatchTest, TasksOfLargeBatchesAreLargeAtFirstAndSmallAtTheEnd) {
  for (size_t nq : {1'000u, 4'000u, 16'384u}) {
    const auto begins = CutQueries(pool_, {}, {.queries = nq});
    EXPECT_EQ(begins.front(), 0u);
    EXPECT_EQ(begins.back(), nq);
    EXPECT_EQ(begins[1], 256u);
    for (size_t i = 2; i < begins.size(); ++i) {
      EXPECT_GT(begins[i], begins[i - 1]);
      EXPECT_LE(begins[i] - begins[i - 1], begins[i - 1] - begins[i - 2]);
    }
    EXPECT_LE(begins.back() - begins[begins.size() - 2], nq / 8 + 16);
    EXPECT_LE(begins.size(), nq / 256 + 8);
  }
  for (size_t nq : {40u, 100u, 200u, 500u}) {
    const auto begins = CutQueries(pool_, {}, {.queries = nq});
    EXPECT_LE(begins[1], (nq + 1) / 2) << nq;
  }
}

TEST_F(BatchTest, CutsLessWhereSegmentsMakeTasksAlready) {
  EXPECT_LT(CutQueries(pool_, {}, {.queries = 1'000, .segments = 8}).size(),
            CutQueries(pool_, {}, {.queries = 1'000}).size());
  EXPECT_EQ(CutQueries(pool_, {}, {.queries = 200, .segments = 100}),
            (std::vector<size_t>{0, 200}));
}

TEST_F(BatchTest, FewQueriesOfManyVectorsAreABatchToo) {
  EXPECT_EQ(CutQueries(pool_, {}, {.queries = 8, .vectors_per_query = 32}),
            (std::vector<size_t>{0, 4, 6, 7, 8}));
  EXPECT_EQ(CutQueries(pool_, {}, {.queries = 4, .vectors_per_query = 4}),
            (std::vector<size_t>{0, 4}));
  const auto many = CutQueries(pool_, {}, {.queries = 1'000, .vectors_per_query = 10});
  for (size_t i = 1; i < many.size(); ++i) EXPECT_LE(many[i] - many[i - 1], 26u);
}

TEST_F(BatchTest, CutsNothingForARequestOfOneThread) {
  const BatchOptions one{.threads_max = 1};
  EXPECT_EQ(HelpersMax(pool_, one), 0u);
  EXPECT_EQ(CutQueries(pool_, one, {.queries = 16'384}), (std::vector<size_t>{0, 16'384}));
  EXPECT_EQ(HelpersMax(pool_, {}), 1u);
  EXPECT_EQ(HelpersMax(pool_, {.threads_max = 9}), 1u);
}

}  // namespace
}  // namespace elanus::index
