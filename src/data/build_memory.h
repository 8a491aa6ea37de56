// Index builds that run at once share a limit on the memory they are thought to take.
#pragma once

#include <cstdint>
#include <memory>

#include "base/executor.h"

namespace elanus::data {

/// Thread-safe. One build is always let in, however large: it would never be otherwise.
class BuildMemory {
 public:
  /// `bytes_max` 0: no limit.
  BuildMemory(Executor& executor, int64_t bytes_max);

  /// What a build holds until it goes.
  class Share {
   public:
    Share(BuildMemory* memory, int64_t bytes) : memory_(memory), bytes_(bytes) {}
    Share(Share&& other) noexcept : memory_(other.memory_), bytes_(other.bytes_) {
      other.memory_ = nullptr;
    }
    Share& operator=(Share&&) = delete;
    ~Share();

   private:
    BuildMemory* memory_;
    const int64_t bytes_;
  };

  /// Waits until the others leave room for so much, or are over. Errors: kCanceled,
  /// kDeadlineExceeded.
  Result<Share> Take(Context& ctx, int64_t bytes);

 private:
  const int64_t bytes_max_;
  std::unique_ptr<Monitor> monitor_;  // Guards the member below.
  int64_t taken_ = 0;
};

}  // namespace elanus::data
