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
    EXPECT_EQ(CutQueries(pool_, {}, nq, 1), (std::vector<size_t>{0, nq}));
  }
  EXPECT_EQ(CutQueries(pool_, {}, 17, 1), (std::vector<size_t>{0, 16, 17}));
  EXPECT_EQ(CutQueries(pool_, {.queries_min = 100}, 90, 1), (std::vector<size_t>{0, 90}));
}

TEST_F(BatchTest, TasksOfLargeBatchesAreLargeAtFirstAndSmallAtTheEnd) {
  for (size_t nq : {1'000u, 4'000u, 16'384u}) {
    const auto begins = CutQueries(pool_, {}, nq, 1);
    EXPECT_EQ(begins.front(), 0u);
    EXPECT_EQ(begins.back(), nq);
    EXPECT_EQ(begins[1], 256u);
    for (size_t i = 2; i < begins.size(); ++i) {
      EXPECT_GT(begins[i], begins[i - 1]);
      EXPECT_LE(begins[i] - begins[i - 1], begins[i - 1] - begins[i - 2]);
    }
    EXPECT_LE(begins.back() - begins[begins.size() - 2], nq / 16 + 16);
    EXPECT_LE(begins.size(), nq / 256 + 8);
  }
}

TEST_F(BatchTest, CutsLessWhereSegmentsMakeTasksAlready) {
  EXPECT_LT(CutQueries(pool_, {}, 1'000, 8).size(), CutQueries(pool_, {}, 1'000, 1).size());
  EXPECT_EQ(CutQueries(pool_, {}, 200, 100), (std::vector<size_t>{0, 200}));
}

TEST_F(BatchTest, CutsNothingForARequestOfOneThread) {
  const BatchOptions one{.threads_max = 1};
  EXPECT_EQ(HelpersMax(pool_, one), 0u);
  EXPECT_EQ(CutQueries(pool_, one, 16'384, 1), (std::vector<size_t>{0, 16'384}));
  EXPECT_EQ(HelpersMax(pool_, {}), 1u);
  EXPECT_EQ(HelpersMax(pool_, {.threads_max = 9}), 1u);
}

}  // namespace
}  // namespace elanus::index
