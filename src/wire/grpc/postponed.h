// Calls that wait for a moment of the clock: a read whose guarantee lies ahead is put here, and
// holds no thread until its time has come.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/executor.h"
#include "wire/grpc/pollers.h"

namespace elanus::wire {

/// One thread looks after all of them. Each leaves when its time has come, at most 100 ms after its
/// caller has gone or its deadline has passed, or when this ends. Thread-safe.
class Postponed {
 public:
  using Run = std::function<void(std::unique_ptr<Work>)>;
  /// Holds `size_max` calls at most. `run` is given each that leaves, on the thread of this one,
  /// and may put it here again; it must not take long. The clock outlives this.
  Postponed(Executor& executor, Clock& clock, size_t size_max, Run run);
  ~Postponed();

  /// Keeps `work` for `wait_ms`. False, and `work` is left alone, when there are too many or this
  /// ends.
  bool Put(std::shared_ptr<const Context> ctx, int64_t wait_ms, std::unique_ptr<Work>& work);
  /// Gives all that is here to `run`, and takes no more.
  void Close();
  size_t size() const;

 private:
  struct Entry {
    std::shared_ptr<const Context> ctx;
    int64_t due_us = 0;
    std::unique_ptr<Work> work;
  };

  void Watch();
  std::vector<Entry> TakeDueLocked();

  Clock& clock_;
  const size_t size_max_;
  const Run run_;
  const std::unique_ptr<Monitor> monitor_;  // Guards what follows.
  std::vector<Entry> entries_;
  bool is_closed_ = false;
  std::unique_ptr<Worker> watch_;
};

}  // namespace elanus::wire
