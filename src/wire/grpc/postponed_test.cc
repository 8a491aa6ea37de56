// Calls that wait for the clock: when they leave, and that none is lost.
#include "wire/grpc/postponed.h"

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <vector>

namespace elanus::wire {
namespace {

constexpr int kPatienceMs = 20'000;

struct Numbered final : Work {
  explicit Numbered(int n) : number(n) {}
  int number;
};

class PostponedTest : public testing::Test {
 protected:
  bool Put(int number, int64_t wait_ms, std::shared_ptr<const Context> ctx = nullptr) {
    std::unique_ptr<Work> work = std::make_unique<Numbered>(number);
    if (ctx == nullptr) ctx = std::make_shared<Context>(clock_);
    const bool is_kept = postponed_.Put(std::move(ctx), wait_ms, work);
    EXPECT_EQ(work == nullptr, is_kept);
    return is_kept;
  }
  std::vector<int> AfterLeft(size_t count) {
    std::lock_guard<Monitor> lock(*monitor_);
    for (int waited = 0; left_.size() < count && waited < kPatienceMs; waited += 5)
      monitor_->WaitFor(5);
    return left_;
  }

  ManualClock clock_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  std::unique_ptr<Monitor> monitor_ = executor_->MakeMonitor();
  std::vector<int> left_;
  Postponed postponed_{*executor_, clock_, /*size_max=*/3, [this](std::unique_ptr<Work> work) {
                         std::lock_guard<Monitor> lock(*monitor_);
                         left_.push_back(static_cast<Numbered&>(*work).number);
                         monitor_->NotifyAll();
                       }};
};

TEST_F(PostponedTest, ACallLeavesWhenItsTimeHasComeWhateverTheOrder) {
  ASSERT_TRUE(Put(1, 10'000));
  ASSERT_TRUE(Put(2, 20'000));
  ASSERT_TRUE(Put(3, 5'000));
  clock_.AdvanceMs(5'000);
  EXPECT_EQ(AfterLeft(1), std::vector<int>{3});
  clock_.AdvanceMs(4'999);
  EXPECT_EQ(postponed_.size(), 2u);
  clock_.AdvanceMs(1);
  EXPECT_EQ(AfterLeft(2), (std::vector<int>{3, 1}));
  EXPECT_EQ(postponed_.size(), 1u);
}

TEST_F(PostponedTest, ACallLeavesWhenItsCallerHasGoneOrItsDeadlineHasPassed) {
  const auto gone = std::make_shared<Context>(clock_);
  ASSERT_TRUE(Put(1, 3'600'000, gone));
  ASSERT_TRUE(
      Put(2, 3'600'000, std::make_shared<Context>(clock_, clock_.MonotonicUs() + 1'000'000)));
  ASSERT_TRUE(Put(3, 3'600'000));
  gone->Cancel();
  EXPECT_EQ(AfterLeft(1), std::vector<int>{1});
  clock_.AdvanceMs(1'001);
  EXPECT_EQ(AfterLeft(2), (std::vector<int>{1, 2}));
  EXPECT_EQ(postponed_.size(), 1u);
}

TEST_F(PostponedTest, OneMoreThanTheLimitIsNotTaken) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Put(i, 10'000));
  EXPECT_FALSE(Put(3, 10'000));
  clock_.AdvanceMs(10'000);
  EXPECT_EQ(AfterLeft(3).size(), 3u);
  EXPECT_TRUE(Put(4, 10'000));
}

TEST_F(PostponedTest, WhatIsThereAtTheEndLeavesAndNothingComesAfter) {
  ASSERT_TRUE(Put(1, 10'000));
  ASSERT_TRUE(Put(2, 10'000));
  postponed_.Close();
  EXPECT_EQ(AfterLeft(2).size(), 2u);
  EXPECT_FALSE(Put(3, 10'000));
  EXPECT_EQ(postponed_.size(), 0u);
}

}  // namespace
}  // namespace elanus::wire
