// The threads that take events from one queue: as few at a time as keep up, because each one more
// costs a wake-up an event; one more as soon as nobody has looked at the queue for a moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"

namespace elanus::wire {

/// Work that was found and waits for a thread.
class Work {
 public:
  virtual ~Work() = default;
};

struct Event {
  uint64_t source = 0;              // Who has something to say,
  bool has_ended = false;           // and whether nothing follows that;
  std::unique_ptr<Work> work = {};  // or what is to be gone on with.
};

enum class Look {
  kEvent,
  kNothing,  // Only of a look that may not wait.
  kClosed,   // Closed and drained: no look finds anything any more.
};

/// What the threads work on. All thread-safe.
class EventQueue {
 public:
  virtual ~EventQueue() = default;
  /// Finds the next event; waits for it if it may.
  virtual Look Take(bool may_wait, Event& event) = 0;
  /// Handles one. May take long: meanwhile others are called in to look.
  virtual void Handle(Event event) = 0;
  /// What cannot wait for the end of a long Handle: called by the watch, every two milliseconds
  /// while it is on.
  virtual void Tick() = 0;
};

/// One thread takes events and handles them on the spot. A watch calls in another one when for two
/// milliseconds no event was taken because all active threads handle long ones, or when for eight
/// none of them had to wait for an event; the last thread only for the former. When the threads
/// together wait for longer than one of them could, one leaves. Without events nothing runs, the
/// watch neither.
class Pollers {
 public:
  /// Starts `threads` threads, one or more, and with more than one the watch. `queue` and `clock`
  /// outlive it.
  Pollers(Executor& executor, Clock& clock, EventQueue& queue, size_t threads);
  /// Waits until the queue is closed and all events are handled.
  ~Pollers();
  /// Threads that look now, or handle what they found.
  size_t active() const;

 private:
  // What the watch saw at its last look.
  struct Seen {
    uint64_t events = 0;
    uint64_t waits = 0;
    int busy_ticks = 0;
    int quiet_ticks = 0;
  };

  void Poll(bool stands_by);
  bool StandBy();
  bool BeginWait();
  void EndWait();
  void Close();
  void Watch();
  void WatchAgain();
  void Tick(Seen& seen);

  Clock& clock_;
  EventQueue& queue_;
  std::atomic<uint64_t> events_{0};
  std::atomic<bool> watching_{false};

  // Where threads stand by. Guards what follows.
  const std::unique_ptr<Monitor> monitor_;
  size_t active_ = 0;
  size_t waiting_ = 0;      // Of the active ones: for an event.
  size_t standing_by_ = 0;  // Not called in yet.
  size_t called_in_ = 0;
  uint64_t waits_ = 0;
  int64_t waited_us_ = 0;  // Ends of waits less their starts: less than zero while one goes on.
  int64_t window_start_us_ = 0;
  int64_t window_waited_us_ = 0;
  bool closed_ = false;

  const std::unique_ptr<Monitor> watch_monitor_;  // Where the watch waits.
  bool watch_closed_ = false;                     // Guarded by it.

  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace elanus::wire
