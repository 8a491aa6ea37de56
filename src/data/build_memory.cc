// The limit on the memory of index builds.
#include "data/build_memory.h"

#include <mutex>

namespace elanus::data {

BuildMemory::BuildMemory(Executor& executor, int64_t bytes_max)
    : bytes_max_(bytes_max), monitor_(executor.MakeMonitor()) {}

BuildMemory::Share::~Share() {
  if (memory_ == nullptr) return;
  std::lock_guard<Monitor> lock(*memory_->monitor_);
  memory_->taken_ -= bytes_;
  memory_->monitor_->NotifyAll();
}

Result<BuildMemory::Share> BuildMemory::Take(Context& ctx, int64_t bytes) {
  constexpr int64_t kLookMs = 100;  // At whether the caller has gone.
  std::lock_guard<Monitor> lock(*monitor_);
  while (bytes_max_ > 0 && taken_ > 0 && taken_ + bytes > bytes_max_) {
    TRY(ctx.CheckAlive());
    monitor_->WaitFor(kLookMs);
  }
  taken_ += bytes;
  return Share(this, bytes);
}

}  // namespace elanus::data
