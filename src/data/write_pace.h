// Keeps what is written in the background from taking the whole disk: so many bytes a second.
#pragma once

#include <cstdint>
#include <memory>

#include "base/executor.h"

namespace elanus::data {

/// For one thread, from the first byte on.
class WritePace {
 public:
  /// `bytes_per_s` 0: as fast as it goes.
  WritePace(Executor& executor, Clock& clock, int64_t bytes_per_s);
  /// Notes what was written, and waits until there is time for more. Errors: kCanceled,
  /// kDeadlineExceeded.
  Status Spend(Context& ctx, size_t bytes);

 private:
  Clock& clock_;
  const int64_t bytes_per_s_;
  const int64_t begin_us_;
  const std::unique_ptr<Monitor> monitor_;  // Only to wait on.
  uint64_t spent_ = 0;
};

}  // namespace elanus::data
