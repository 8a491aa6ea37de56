// The executor that a seed steers. Invariants:
// 1. Exactly one worker holds the baton; only it runs. `current_` names it.
// 2. A worker gives the baton away only in Yield, Wait, WaitFor, Spawn's join, or at its end.
// 3. Who gets it is drawn from the seed among the runnable workers, in order of their numbers; so
// equal
//    seeds give equal runs when the bodies themselves are deterministic.
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/executor.h"

namespace elanus {
namespace {

class SimExecutor;

enum class Mode { kRunnable, kWaiting, kTimedWait, kJoining, kEnded };

struct SimState {
  Mode mode = Mode::kRunnable;
  const void* waits_for = nullptr;  // The monitor, or the worker to join.
  bool timed_out = false;
  uint64_t since = 0;  // Waits are numbered in the order in which they begin.
};

class SimExecutor final : public Executor {
 public:
  explicit SimExecutor(uint64_t seed) : rng_(seed) { states_.push_back({}); }

  std::unique_ptr<Monitor> MakeMonitor() override;
  std::unique_ptr<Worker> Spawn(std::string name, std::function<void()> body) override;
  void Yield() override { PassBaton(Mode::kRunnable, nullptr); }

  /// Gives the baton away and returns when it is back; false after a timed wait ran out.
  bool PassBaton(Mode mode, const void* waits_for) {
    std::unique_lock<std::mutex> lock(mutex_);
    const size_t self = current_;
    states_[self] = {.mode = mode, .waits_for = waits_for, .since = ++waits_};
    PickNext();
    turn_.wait(lock, [&] { return current_ == self; });
    return !states_[self].timed_out;
  }

  void WakeWaiters(const void* monitor) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (SimState& state : states_) {
      if ((state.mode == Mode::kWaiting || state.mode == Mode::kTimedWait) &&
          state.waits_for == monitor) {
        state.mode = Mode::kRunnable;
      }
    }
  }

  size_t AddWorker() {
    std::lock_guard<std::mutex> lock(mutex_);
    states_.push_back({});
    return states_.size() - 1;
  }
  void WaitForFirstTurn(size_t self) {
    std::unique_lock<std::mutex> lock(mutex_);
    turn_.wait(lock, [&] { return current_ == self; });
  }
  void End(size_t self) {
    std::lock_guard<std::mutex> lock(mutex_);
    states_[self].mode = Mode::kEnded;
    for (SimState& state : states_) {
      if (state.mode == Mode::kJoining && state.waits_for == Key(self))
        state.mode = Mode::kRunnable;
    }
    PickNext();
  }
  void Join(size_t worker) {
    while (true) {
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (states_[worker].mode == Mode::kEnded) return;
      }
      PassBaton(Mode::kJoining, Key(worker));
    }
  }

 private:
  static const void* Key(size_t worker) { return reinterpret_cast<const void*>(worker + 1); }

  void PickNext() {
    std::vector<size_t> ready;
    for (size_t i = 0; i < states_.size(); ++i) {
      if (states_[i].mode == Mode::kRunnable) ready.push_back(i);
    }
    if (ready.empty()) {
      // Time passes only when nobody can run: whoever has waited longest has their time up.
      for (size_t i = 0; i < states_.size(); ++i) {
        if (states_[i].mode != Mode::kTimedWait) continue;
        if (ready.empty() || states_[i].since < states_[ready[0]].since) ready = {i};
      }
      CHECK(!ready.empty());  // Deadlock: every worker waits.
      states_[ready[0]].mode = Mode::kRunnable;
      states_[ready[0]].timed_out = true;
    }
    current_ = ready[std::uniform_int_distribution<size_t>(0, ready.size() - 1)(rng_)];
    turn_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable turn_;
  std::vector<SimState> states_;
  size_t current_ = 0;
  uint64_t waits_ = 0;
  std::mt19937_64 rng_;
};

class SimMonitor final : public Monitor {
 public:
  explicit SimMonitor(SimExecutor& executor) : executor_(executor) {}
  void lock() override {
    while (held_) {
      waiting_to_lock_ = true;
      executor_.PassBaton(Mode::kWaiting, &held_);
    }
    held_ = true;
  }
  void unlock() override {
    held_ = false;
    if (waiting_to_lock_) {
      waiting_to_lock_ = false;
      executor_.WakeWaiters(&held_);
    }
  }
  void Wait() override {
    unlock();
    executor_.PassBaton(Mode::kWaiting, this);
    lock();
  }
  bool WaitFor(int64_t) override {
    unlock();
    const bool notified = executor_.PassBaton(Mode::kTimedWait, this);
    lock();
    return notified;
  }
  void NotifyAll() override { executor_.WakeWaiters(this); }
  // Waking all is allowed: a wake-up may be spurious.
  void NotifyOne() override { executor_.WakeWaiters(this); }

 private:
  SimExecutor& executor_;
  bool held_ = false;
  bool waiting_to_lock_ = false;
};

class SimWorker final : public Worker {
 public:
  SimWorker(SimExecutor& executor, std::function<void()> body)
      : executor_(executor), self_(executor.AddWorker()), thread_([this, body = std::move(body)] {
          executor_.WaitForFirstTurn(self_);
          body();
          executor_.End(self_);
        }) {}
  ~SimWorker() override {
    executor_.Join(self_);
    thread_.join();
  }

 private:
  SimExecutor& executor_;
  size_t self_;
  std::thread thread_;
};

std::unique_ptr<Monitor> SimExecutor::MakeMonitor() { return std::make_unique<SimMonitor>(*this); }

std::unique_ptr<Worker> SimExecutor::Spawn(std::string, std::function<void()> body) {
  auto worker = std::make_unique<SimWorker>(*this, std::move(body));
  Yield();
  return worker;
}

}  // namespace

std::unique_ptr<Executor> MakeSimExecutor(uint64_t seed) {
  return std::make_unique<SimExecutor>(seed);
}

}  // namespace elanus
