// A lock of one byte, for nodes of graphs.
#pragma once

#include <atomic>

namespace elanus::index {

/// Held for some nanoseconds, or for a selection of links; waits without sleeping.
class SpinLock {
 public:
  void lock() {
    while (flag_.test_and_set(std::memory_order_acquire)) {
      while (flag_.test(std::memory_order_relaxed)) {
      }
    }
  }
  void unlock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_ = ATOMIC_FLAG_INIT;
};

}  // namespace elanus::index
