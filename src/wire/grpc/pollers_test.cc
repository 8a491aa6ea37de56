// Who takes events: one thread while it keeps up, another as soon as it does not.
#include "wire/grpc/pollers.h"

#include <gtest/gtest.h>

#include <deque>
#include <mutex>
#include <optional>
#include <set>

namespace elanus::wire {
namespace {

constexpr int kPatienceMs = 20'000;

/// Numbers as events. Those of `Hold` are handled only once the test lets go.
class FakeQueue final : public EventQueue {
 public:
  explicit FakeQueue(Executor& executor) : monitor_(executor.MakeMonitor()) {}

  Look Take(bool may_wait, Event& event) override {
    std::lock_guard<Monitor> lock(*monitor_);
    while (may_wait && queue_.empty() && !endless_ && !closed_) monitor_->Wait();
    if (queue_.empty() && !endless_) return closed_ ? Look::kClosed : Look::kNothing;
    size_t number = 0;
    if (!queue_.empty()) {
      number = queue_.front();
      queue_.pop_front();
    }
    event.source = number;
    return Look::kEvent;
  }
  void Handle(Event event) override {
    std::lock_guard<Monitor> lock(*monitor_);
    const auto number = event.source;
    static thread_local const char kThread = 0;
    threads_.insert(&kThread);
    begun_.insert(number);
    monitor_->NotifyAll();
    while (held_.count(number) > 0) monitor_->Wait();
    handled_.insert(number);
    monitor_->NotifyAll();
  }

  void Tick() override {
    std::lock_guard<Monitor> lock(*monitor_);
    ++ticks_;
    monitor_->NotifyAll();
  }

  void Push(size_t number) {
    std::lock_guard<Monitor> lock(*monitor_);
    queue_.push_back(number);
    monitor_->NotifyAll();
  }
  void Hold(size_t number) {
    std::lock_guard<Monitor> lock(*monitor_);
    held_.insert(number);
  }
  void LetGo() {
    std::lock_guard<Monitor> lock(*monitor_);
    held_.clear();
    monitor_->NotifyAll();
  }
  /// Whether there is an event at any moment.
  void SetEndless(bool endless) {
    std::lock_guard<Monitor> lock(*monitor_);
    endless_ = endless;
    monitor_->NotifyAll();
  }
  void Close() {
    std::lock_guard<Monitor> lock(*monitor_);
    closed_ = true;
    monitor_->NotifyAll();
  }
  bool WaitTicks(int count) {
    std::lock_guard<Monitor> lock(*monitor_);
    for (int waited = 0; waited < kPatienceMs && ticks_ < count; waited += 5) monitor_->WaitFor(5);
    return ticks_ >= count;
  }
  bool WaitBegun(size_t number) { return WaitIn(begun_, number); }
  bool WaitHandled(size_t number) { return WaitIn(handled_, number); }
  size_t threads() const {
    std::lock_guard<Monitor> lock(*monitor_);
    return threads_.size();
  }
  void Pause(int64_t ms) {
    std::lock_guard<Monitor> lock(*monitor_);
    monitor_->WaitFor(ms);
  }

 private:
  bool WaitIn(const std::multiset<size_t>& set, size_t number) {
    std::lock_guard<Monitor> lock(*monitor_);
    for (int waited = 0; waited < kPatienceMs && set.count(number) == 0; waited += 5)
      monitor_->WaitFor(5);
    return set.count(number) > 0;
  }

  std::unique_ptr<Monitor> monitor_;
  std::deque<size_t> queue_;
  std::multiset<size_t> held_, begun_, handled_;
  std::set<const char*> threads_;
  int ticks_ = 0;
  bool endless_ = false;
  bool closed_ = false;
};

class PollersTest : public testing::Test {
 protected:
  void Start(size_t threads) { pollers_.emplace(*executor_, clock_, queue_, threads); }
  void TearDown() override {
    queue_.SetEndless(false);
    queue_.LetGo();
    queue_.Close();
    pollers_.reset();
  }
  /// Whether so many get active within the test's patience.
  bool WaitActive(size_t count) {
    for (int waited = 0; waited < kPatienceMs && pollers_->active() != count; waited += 2)
      queue_.Pause(2);
    return pollers_->active() == count;
  }

  SystemClock clock_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  FakeQueue queue_{*executor_};
  std::optional<Pollers> pollers_;
};

TEST_F(PollersTest, OneThreadAloneHandlesAll) {
  Start(1);
  for (size_t i = 1; i <= 100; ++i) queue_.Push(i);
  for (size_t i = 1; i <= 100; ++i) EXPECT_TRUE(queue_.WaitHandled(i));
  EXPECT_EQ(queue_.threads(), 1u);
  EXPECT_EQ(pollers_->active(), 1u);
}

TEST_F(PollersTest, EventsBehindALongOneAreHandledByOthersDownToTheLastThread) {
  Start(4);
  for (size_t i = 1; i <= 3; ++i) {
    queue_.Hold(i);
    queue_.Push(i);
    ASSERT_TRUE(queue_.WaitBegun(i)) << i;
  }
  for (size_t i = 4; i <= 50; ++i) {
    queue_.Push(i);
    ASSERT_TRUE(queue_.WaitHandled(i)) << i;
  }
  EXPECT_EQ(pollers_->active(), 4u);
  queue_.LetGo();
  for (size_t i = 1; i <= 3; ++i) EXPECT_TRUE(queue_.WaitHandled(i));
}

TEST_F(PollersTest, ThreadsLeaveWhenOneKeepsUpAgain) {
  Start(3);
  for (size_t i = 1; i <= 2; ++i) {
    queue_.Hold(i);
    queue_.Push(i);
    ASSERT_TRUE(queue_.WaitBegun(i));
  }
  ASSERT_TRUE(WaitActive(3));
  queue_.LetGo();
  size_t next = 3;
  for (int waited = 0; waited < kPatienceMs && pollers_->active() > 1; ++waited) {
    queue_.Push(next);
    ASSERT_TRUE(queue_.WaitHandled(next++));
    queue_.Pause(1);
  }
  EXPECT_EQ(pollers_->active(), 1u);
}

TEST_F(PollersTest, ALongEventAfterSilenceIsNoticed) {
  Start(2);
  for (size_t round = 0; round < 5; ++round) {
    queue_.Pause(30);  // The watch goes off.
    queue_.Hold(2 * round + 1);
    queue_.Push(2 * round + 1);
    ASSERT_TRUE(queue_.WaitBegun(2 * round + 1));
    queue_.Push(2 * round + 2);
    ASSERT_TRUE(queue_.WaitHandled(2 * round + 2)) << round;
    queue_.LetGo();
    ASSERT_TRUE(queue_.WaitHandled(2 * round + 1));
  }
}

TEST_F(PollersTest, WhatCannotWaitIsLookedAtWhileAnEventTakesLong) {
  Start(2);
  queue_.Pause(30);  // The watch goes off.
  queue_.Hold(1);
  queue_.Push(1);
  ASSERT_TRUE(queue_.WaitBegun(1));
  EXPECT_TRUE(queue_.WaitTicks(2));
  queue_.LetGo();
}

TEST_F(PollersTest, EventsWithoutEndCallInAllButTheLast) {
  Start(3);
  queue_.SetEndless(true);
  EXPECT_TRUE(WaitActive(2));
  // The third comes only if the two take nothing for a while; a machine under load may do that.
  queue_.SetEndless(false);
  queue_.Push(7);
  EXPECT_TRUE(queue_.WaitHandled(7));
}

TEST_F(PollersTest, ClosingEndsThemInEveryState) {
  for (size_t threads : {1, 2, 5}) {
    for (int64_t silence_ms : {0, 30}) {
      FakeQueue queue(*executor_);
      Pollers pollers(*executor_, clock_, queue, threads);
      if (silence_ms > 0) queue.Pause(silence_ms);
      queue.Push(1);
      queue.Close();
    }
  }
}

}  // namespace
}  // namespace elanus::wire
