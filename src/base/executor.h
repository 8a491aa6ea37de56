// Threads as the rest of the code sees them: workers, monitors to wait on, and bounded pools. The
// real executor uses the machine's threads; SimExecutor runs one worker at a time in an order drawn
// from a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/status.h"

namespace elanus {

/// A mutex with one condition. Lock() and Unlock() make it usable with std::lock_guard and
/// std::unique_lock. Held for memory work only, never across a call into another module or I/O.
class Monitor {
 public:
  virtual ~Monitor() = default;
  virtual void lock() = 0;
  virtual void unlock() = 0;
  /// Releases the monitor, waits for NotifyAll (or a spurious wake-up), takes it again.
  virtual void Wait() = 0;
  /// As Wait, but gives up after `timeout_ms`; false when it gave up.
  virtual bool WaitFor(int64_t timeout_ms) = 0;
  virtual void NotifyAll() = 0;
  /// Wakes one of those who wait, when all of them wait for the same thing.
  virtual void NotifyOne() = 0;
};

/// A running worker; the destructor joins it, so its owner must have told it to end.
class Worker {
 public:
  virtual ~Worker() = default;
};

/// Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::unique_ptr<Monitor> MakeMonitor() = 0;
  /// Starts `body` on a worker of its own. `name` shows in debuggers (15 characters).
  virtual std::unique_ptr<Worker> Spawn(std::string name, std::function<void()> body) = 0;
  /// Lets others run; a no-op on real threads. Stores call it so that a seed can interleave there.
  virtual void Yield() = 0;
};

/// Threads of the machine.
std::unique_ptr<Executor> MakeThreadExecutor();

/// Workers that run one at a time; at each Spawn, Wait, NotifyAll and Yield a generator seeded with
/// `seed` picks who goes on. The thread that makes it is its first worker. WaitFor times out only
/// when nobody else can run. Deterministic as long as the bodies are.
std::unique_ptr<Executor> MakeSimExecutor(uint64_t seed);

/// A bounded queue of tasks and the workers that drain it.
class Pool {
 public:
  /// Starts `workers` workers; at most `queue_max` tasks wait.
  Pool(Executor& executor, std::string name, size_t workers, size_t queue_max);
  /// Runs what is queued, then joins.
  ~Pool();
  /// kTooManyRequests when the queue is full: that is the admission control.
  Status Submit(std::function<void()> task);
  /// Runs fn(0) .. fn(count - 1) on the pool and the calling thread; returns when all have ended,
  /// with the first error by index. Must not be called from a task of the same pool unless the
  /// caller can run it all alone, which it does: the caller takes items too, so nothing deadlocks.
  /// `helpers_max` of the pool's workers take part at most; between two items they serve what else
  /// waits in the queue, so many items do not keep others from the pool.
  Status ParallelFor(Context& ctx, size_t count, const std::function<Status(size_t)>& fn,
                     size_t helpers_max = SIZE_MAX);
  size_t workers() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus
