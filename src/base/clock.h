// Time as the rest of the code sees it: one interface, so that tests and the simulation move it by
// hand.
#pragma once

#include <atomic>
#include <cstdint>

namespace elanus {

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time since 1970 in milliseconds; may jump.
  virtual int64_t NowMs() = 0;
  /// Monotonic time in microseconds from an arbitrary start.
  virtual int64_t MonotonicUs() = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
  int64_t NowMs() override;
  int64_t MonotonicUs() override;
};

/// A clock that stands still until told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_ms = 1'700'000'000'000) : now_us_(now_ms * 1000) {}
  int64_t NowMs() override { return now_us_.load() / 1000; }
  int64_t MonotonicUs() override { return now_us_.load(); }
  void AdvanceMs(int64_t ms) { now_us_ += ms * 1000; }

 private:
  std::atomic<int64_t> now_us_;
};

}  // namespace elanus
