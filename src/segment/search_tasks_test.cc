// How tasks over segments share the threads there are.
#include "segment/search_tasks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

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

}  // namespace
}  // namespace elanus::segment
