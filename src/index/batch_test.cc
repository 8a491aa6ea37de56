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
  for (size_t nq : {1u, 5u, 16u}) EXPECT_EQ(QueriesPerTask(pool_, {}, nq, 1), nq);
  EXPECT_EQ(QueriesPerTask(pool_, {}, 17, 1), 16u);
  EXPECT_EQ(QueriesPerTask(pool_, {.queries_min = 100}, 90, 1), 90u);
}

TEST_F(BatchTest, CutsLargeBatchesIntoSeveralTasksAThread) {
  for (size_t nq : {1'000u, 4'000u, 16'384u}) {
    const size_t queries = QueriesPerTask(pool_, {}, nq, 1);
    EXPECT_GE(nq / queries, 12u) << nq;
    EXPECT_GE(queries, 16u) << nq;
    EXPECT_LE(queries, 256u) << nq;
  }
}

TEST_F(BatchTest, CutsLessWhereSegmentsMakeTasksAlready) {
  EXPECT_GT(QueriesPerTask(pool_, {}, 1'000, 8), QueriesPerTask(pool_, {}, 1'000, 1));
  EXPECT_EQ(QueriesPerTask(pool_, {}, 200, 100), 200u);
}

TEST_F(BatchTest, CutsNothingForARequestOfOneThread) {
  const BatchOptions one{.threads_max = 1};
  EXPECT_EQ(HelpersMax(pool_, one), 0u);
  EXPECT_EQ(QueriesPerTask(pool_, one, 16'384, 1), 16'384u);
  EXPECT_EQ(HelpersMax(pool_, {}), 1u);
  EXPECT_EQ(HelpersMax(pool_, {.threads_max = 9}), 1u);
}

}  // namespace
}  // namespace elanus::index
