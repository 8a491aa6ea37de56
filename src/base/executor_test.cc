// Both executors keep their promises; the simulated one is steered by its seed alone.
#include "base/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace elanus {
namespace {

/// The order in which three workers passed their steps.
std::string Trace(uint64_t seed) {
  const auto executor = MakeSimExecutor(seed);
  std::string trace;
  std::vector<std::unique_ptr<Worker>> workers;
  for (char name : {'a', 'b', 'c'}) {
    workers.push_back(executor->Spawn(std::string(1, name), [&trace, &executor, name] {
      for (int step = 0; step < 5; ++step) {
        trace.push_back(name);
        executor->Yield();
      }
    }));
  }
  workers.clear();
  return trace;
}

TEST(SimExecutor, EqualSeedsGiveEqualRuns) {
  for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(Trace(seed), Trace(seed)) << "seed " << seed;
}

TEST(SimExecutor, DifferentSeedsGiveDifferentInterleavings) {
  std::set<std::string> traces;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::string trace = Trace(seed);
    EXPECT_EQ(trace.size(), 15u);
    traces.insert(trace);
  }
  EXPECT_GT(traces.size(), 40u);
}

TEST(SimExecutor, OneWorkerRunsAtATimeSoPlainDataNeedsNoLock) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto executor = MakeSimExecutor(seed);
    int inside = 0;
    int count = 0;
    std::vector<std::unique_ptr<Worker>> workers;
    for (int w = 0; w < 4; ++w) {
      workers.push_back(executor->Spawn("w", [&] {
        for (int i = 0; i < 100; ++i) {
          EXPECT_EQ(inside++, 0);
          ++count;
          --inside;
          executor->Yield();
        }
      }));
    }
    workers.clear();
    EXPECT_EQ(count, 400);
  }
}

TEST(SimExecutor, AMonitorKeepsOthersOutAcrossYields) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto executor = MakeSimExecutor(seed);
    const auto monitor = executor->MakeMonitor();
    int inside = 0;
    std::vector<std::unique_ptr<Worker>> workers;
    for (int w = 0; w < 3; ++w) {
      workers.push_back(executor->Spawn("w", [&] {
        for (int i = 0; i < 10; ++i) {
          std::lock_guard<Monitor> lock(*monitor);
          EXPECT_EQ(inside++, 0) << "seed " << seed;
          executor->Yield();
          --inside;
        }
      }));
    }
    workers.clear();
  }
}

TEST(SimExecutor, ATimedWaitRunsOutOnlyWhenNobodyElseCanRun) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto executor = MakeSimExecutor(seed);
    const auto monitor = executor->MakeMonitor();
    int steps = 0;
    auto worker = executor->Spawn("w", [&] {
      for (; steps < 10; ++steps) executor->Yield();
    });
    std::lock_guard<Monitor> lock(*monitor);
    EXPECT_FALSE(monitor->WaitFor(1));
    EXPECT_EQ(steps, 10) << "seed " << seed;
  }
}

enum class Kind { kThreads, kSim };

class AnyExecutor : public testing::TestWithParam<Kind> {
 protected:
  std::unique_ptr<Executor> executor_ =
      GetParam() == Kind::kThreads ? MakeThreadExecutor() : MakeSimExecutor(3);
  SystemClock clock_;
  Context ctx_{clock_};
};

TEST_P(AnyExecutor, HandsItemsFromOneWorkerToAnother) {
  const auto monitor = executor_->MakeMonitor();
  int waiting = 0;
  bool closed = false;
  int taken = 0;
  auto consumer = executor_->Spawn("consumer", [&] {
    std::lock_guard<Monitor> lock(*monitor);
    while (true) {
      while (waiting == 0 && !closed) monitor->Wait();
      if (waiting == 0) return;
      --waiting;
      ++taken;
    }
  });
  for (int i = 0; i < 1000; ++i) {
    {
      std::lock_guard<Monitor> lock(*monitor);
      ++waiting;
      monitor->NotifyAll();
    }
    executor_->Yield();
  }
  {
    std::lock_guard<Monitor> lock(*monitor);
    closed = true;
    monitor->NotifyAll();
  }
  consumer.reset();
  EXPECT_EQ(taken, 1000);
}

TEST_P(AnyExecutor, ATimedWaitTellsNotificationFromTimeout) {
  const auto monitor = executor_->MakeMonitor();
  bool ready = false;
  std::unique_ptr<Worker> worker;
  {
    std::lock_guard<Monitor> lock(*monitor);
    EXPECT_FALSE(monitor->WaitFor(1));
  }
  worker = executor_->Spawn("notifier", [&] {
    std::lock_guard<Monitor> lock(*monitor);
    ready = true;
    monitor->NotifyAll();
  });
  std::lock_guard<Monitor> lock(*monitor);
  while (!ready) monitor->WaitFor(10'000);
  EXPECT_TRUE(ready);
}

TEST_P(AnyExecutor, APoolRunsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> ran{0};
  {
    Pool pool(*executor_, "pool", 2, 1000);
    EXPECT_EQ(pool.workers(), 2u);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(pool.Submit([&] { ++ran; }).ok());
  }
  EXPECT_EQ(ran, 100);
}

TEST_P(AnyExecutor, AFullPoolRefusesAtOnce) {
  Pool pool(*executor_, "pool", 0, 2);
  EXPECT_TRUE(pool.Submit([] {}).ok());
  EXPECT_TRUE(pool.Submit([] {}).ok());
  const Status refused = pool.Submit([] {});
  EXPECT_EQ(refused.code(), ErrorCode::kTooManyRequests);
  EXPECT_EQ(refused.ToString(), "too many concurrent requests, queue is full[limit=2]");
}

TEST_P(AnyExecutor, ParallelForRunsEveryItemOnce) {
  Pool pool(*executor_, "pool", 3, 100);
  for (size_t count : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> ran(count);
    const Status status = pool.ParallelFor(ctx_, count, [&](size_t i) {
      ++ran[i];
      executor_->Yield();
      return Status();
    });
    EXPECT_TRUE(status.ok());
    for (const auto& times : ran) EXPECT_EQ(times, 1);
  }
}

TEST_P(AnyExecutor, ParallelForTellsTheFirstErrorByIndex) {
  Pool pool(*executor_, "pool", 3, 100);
  const Status status = pool.ParallelFor(ctx_, 50, [&](size_t i) {
    executor_->Yield();
    return i % 10 == 7 ? Error(ErrorCode::kInternal, "item {}", i) : Status();
  });
  EXPECT_EQ(status.message(), "item 7");
}

TEST_P(AnyExecutor, ParallelForOfACanceledRequestEndsEarly) {
  Pool pool(*executor_, "pool", 2, 100);
  std::atomic<int> ran{0};
  const Status status = pool.ParallelFor(ctx_, 1000, [&](size_t) {
    ++ran;
    ctx_.Cancel();
    return Status();
  });
  EXPECT_EQ(status.code(), ErrorCode::kCanceled);
  EXPECT_LT(ran, 10);
}

TEST_P(AnyExecutor, ParallelForTakesNoMoreHelpersThanItMay) {
  Pool pool(*executor_, "pool", 3, 100);
  for (size_t helpers : {0, 1, 2}) {
    std::atomic<size_t> at_once{0};
    std::atomic<size_t> most{0};
    const Status status = pool.ParallelFor(
        ctx_, 200,
        [&](size_t) {
          const size_t now = ++at_once;
          for (size_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          executor_->Yield();
          --at_once;
          return Status();
        },
        helpers);
    EXPECT_TRUE(status.ok());
    EXPECT_LE(most, helpers + 1);
  }
}

TEST_P(AnyExecutor, ParallelForLetsOthersHaveAWorkerBetweenItems) {
  Pool pool(*executor_, "pool", 1, 100);
  const auto monitor = executor_->MakeMonitor();
  const auto caller = std::this_thread::get_id();
  std::atomic<int> helped{0};
  std::atomic<bool> served{false};
  const Status status = pool.ParallelFor(ctx_, 100, [&](size_t) {
    if (std::this_thread::get_id() == caller) {
      std::lock_guard<Monitor> lock(*monitor);
      while (helped < 2) monitor->WaitFor(/*timeout_ms=*/1);
      return Status();
    }
    if (helped == 0) {
      EXPECT_TRUE(pool.Submit([&] { served = true; }).ok());
    } else {
      EXPECT_TRUE(served);
    }
    ++helped;
    return Status();
  });
  EXPECT_TRUE(status.ok());
  EXPECT_GE(helped, 2);
}

TEST_P(AnyExecutor, ParallelForWithinATaskOfTheSamePoolDoesNotDeadlock) {
  std::atomic<int> ran{0};
  {
    Pool pool(*executor_, "pool", 2, 100);
    for (int t = 0; t < 4; ++t) {
      const Status submitted = pool.Submit([&] {
        const Status status = pool.ParallelFor(ctx_, 5, [&](size_t) {
          ++ran;
          return Status();
        });
        EXPECT_TRUE(status.ok());
      });
      EXPECT_TRUE(submitted.ok());
    }
  }
  EXPECT_EQ(ran, 20);
}

INSTANTIATE_TEST_SUITE_P(Both, AnyExecutor, testing::Values(Kind::kThreads, Kind::kSim),
                         [](const auto& info) {
                           return info.param == Kind::kThreads ? "Threads" : "Sim";
                         });

}  // namespace
}  // namespace elanus
