// Workers in the background give way as far as they are told, and nobody else does.
#include "base/background.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace elanus {
namespace {

int OwnNice() { return ::getpriority(PRIO_PROCESS, 0); }

int NiceOfAWorker(Executor& executor) {
  std::atomic<int> nice{-100};
  executor.Spawn("nice", [&] { nice = OwnNice(); });  // Joined where its handle goes.
  return nice;
}

TEST(Background, WorkersGiveWayByAsMuchAsTheOptionSays) {
  const auto threads = MakeThreadExecutor();
  const int own = OwnNice();
  for (const int by : {0, 3, 10, 19}) {
    const auto background = MakeBackgroundExecutor(*threads, {.nice = by});
    EXPECT_EQ(NiceOfAWorker(*background), std::min(own + by, 19));
    EXPECT_EQ(NiceOfAWorker(*threads), own);
  }
  EXPECT_EQ(OwnNice(), own) << "of the workers alone";
}

TEST(Background, PoolsOnItGiveWayButNotWhoHelpsThem) {
  const auto threads = MakeThreadExecutor();
  const int own = OwnNice();
  std::atomic<int> nice{-100};
  {
    const auto background = MakeBackgroundExecutor(*threads, {.nice = 5});
    Pool pool(*background, "pool", 1, 4);
    ASSERT_TRUE(pool.Submit([&] { nice = OwnNice(); }).ok());
  }
  EXPECT_EQ(nice, std::min(own + 5, 19));
  EXPECT_EQ(OwnNice(), own);
}

TEST(Background, SharesMonitorsWithTheOthers) {
  const auto threads = MakeThreadExecutor();
  const auto background = MakeBackgroundExecutor(*threads, {});
  const auto monitor = background->MakeMonitor();
  bool is_done = false;
  const auto worker = threads->Spawn("worker", [&] {
    std::lock_guard<Monitor> lock(*monitor);
    is_done = true;
    monitor->NotifyAll();
  });
  std::lock_guard<Monitor> lock(*monitor);
  while (!is_done) monitor->Wait();
  EXPECT_TRUE(is_done);
}

}  // namespace
}  // namespace elanus
