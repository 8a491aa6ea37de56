// The pace of writes.
#include "data/write_pace.h"

#include <algorithm>
#include <mutex>

namespace elanus::data {

WritePace::WritePace(Executor& executor, Clock& clock, int64_t bytes_per_s)
    : clock_(clock),
      bytes_per_s_(bytes_per_s),
      begin_us_(clock.MonotonicUs()),
      monitor_(executor.MakeMonitor()) {}

Status WritePace::Spend(Context& ctx, size_t bytes) {
  constexpr int64_t kLookMs = 100;  // At whether the caller has gone.
  spent_ += bytes;
  if (bytes_per_s_ == 0) return {};
  const auto due_us = begin_us_ + static_cast<int64_t>(1e6 * static_cast<double>(spent_) /
                                                       static_cast<double>(bytes_per_s_));
  std::lock_guard<Monitor> lock(*monitor_);
  while (true) {
    TRY(ctx.CheckAlive());
    const int64_t left_ms = (due_us - clock_.MonotonicUs()) / 1000;
    if (left_ms <= 0) return {};
    monitor_->WaitFor(std::min(left_ms, kLookMs));
  }
}

}  // namespace elanus::data
