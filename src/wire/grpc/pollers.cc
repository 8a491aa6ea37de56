// Invariants:
// 1. At least one thread is active until the queue is closed: one leaves only while another stays.
// 2. Whoever handles an event sees to it that the watch is on. The watch goes off only under its
// monitor, and afterwards looks once more whether events came.
#include "wire/grpc/pollers.h"

#include <fmt/format.h>

#include <mutex>

namespace elanus::wire {
namespace {

constexpr int64_t kTickMs = 2;
constexpr int kBusyTicks = 4;   // Until one more is called in although events are taken.
constexpr int kQuietTicks = 5;  // Until the watch goes off.
// A thread leaves when over such a time as much as `kSpare` threads did nothing but wait: one would
// not be missed, and a bit, so that they do not come and go.
constexpr int64_t kWindowUs = 8'000;
constexpr double kSpare = 1.15;

}  // namespace

Pollers::Pollers(Executor& executor, Clock& clock, EventQueue& queue, size_t threads)
    : clock_(clock),
      queue_(queue),
      monitor_(executor.MakeMonitor()),
      watch_monitor_(executor.MakeMonitor()) {
  active_ = 1;
  standing_by_ = threads - 1;
  window_start_us_ = clock_.MonotonicUs();
  for (size_t i = 0; i < threads; ++i) {
    workers_.push_back(executor.Spawn(fmt::format("grpc-poll-{}", i), [this, i] { Poll(i > 0); }));
  }
  if (threads > 1) {
    watching_ = true;
    workers_.push_back(executor.Spawn("grpc-watch", [this] { Watch(); }));
  }
}

Pollers::~Pollers() { workers_.clear(); }

size_t Pollers::active() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return active_;
}

void Pollers::Poll(bool stands_by) {
  if (stands_by && !StandBy()) return;
  while (true) {
    Event event;
    Look look = queue_.Take(/*may_wait=*/false, event);
    if (look == Look::kNothing) {
      if (!BeginWait()) {
        if (!StandBy()) return;
        continue;
      }
      look = queue_.Take(/*may_wait=*/true, event);
      EndWait();
    }
    if (look == Look::kClosed) return Close();
    events_.fetch_add(1);
    if (!watching_.load()) WatchAgain();
    queue_.Handle(std::move(event));
  }
}

// Until called in; false: the queue is closed.
bool Pollers::StandBy() {
  std::lock_guard<Monitor> lock(*monitor_);
  while (called_in_ == 0 && !closed_) monitor_->Wait();
  if (closed_) return false;
  --called_in_;
  return true;
}

// False: the others are enough, this thread is not active any more.
bool Pollers::BeginWait() {
  const int64_t now_us = clock_.MonotonicUs();
  std::lock_guard<Monitor> lock(*monitor_);
  const int64_t window_us = now_us - window_start_us_;
  if (window_us >= kWindowUs) {
    const int64_t waited_us = waited_us_ + static_cast<int64_t>(waiting_) * now_us;
    const bool is_spare = active_ > 1 && static_cast<double>(waited_us - window_waited_us_) >
                                             kSpare * static_cast<double>(window_us);
    window_start_us_ = now_us;
    window_waited_us_ = waited_us;
    if (is_spare) {
      --active_;
      ++standing_by_;
      return false;
    }
  }
  waited_us_ -= now_us;
  ++waiting_;
  ++waits_;
  return true;
}

void Pollers::EndWait() {
  const int64_t now_us = clock_.MonotonicUs();
  std::lock_guard<Monitor> lock(*monitor_);
  waited_us_ += now_us;
  --waiting_;
}

void Pollers::Close() {
  {
    std::lock_guard<Monitor> lock(*monitor_);
    closed_ = true;
    monitor_->NotifyAll();
  }
  std::lock_guard<Monitor> lock(*watch_monitor_);
  watch_closed_ = true;
  watch_monitor_->NotifyAll();
}

void Pollers::WatchAgain() {
  std::lock_guard<Monitor> lock(*watch_monitor_);
  watch_monitor_->NotifyAll();
}

void Pollers::Watch() {
  std::lock_guard<Monitor> watch_lock(*watch_monitor_);
  Seen seen;
  int64_t tick_us = clock_.MonotonicUs();
  while (!watch_closed_) {
    if (seen.quiet_ticks >= kQuietTicks) {
      watching_.store(false);
      if (events_.load() == seen.events) watch_monitor_->Wait();
      watching_.store(true);
      seen.quiet_ticks = 0;
      tick_us = clock_.MonotonicUs();
    }
    watch_monitor_->WaitFor(kTickMs);
    const int64_t now_us = clock_.MonotonicUs();
    if (now_us - tick_us < kTickMs * 1000) continue;  // Woken for something else.
    tick_us = now_us;
    queue_.Tick();
    Tick(seen);
  }
}

// Looks at what has happened since the last time, and calls one in.
void Pollers::Tick(Seen& seen) {
  const uint64_t events = events_.load();
  std::lock_guard<Monitor> lock(*monitor_);
  const bool is_busy = waiting_ == 0 && waits_ == seen.waits;
  const bool is_stuck = is_busy && events == seen.events;
  seen.busy_ticks = is_busy ? seen.busy_ticks + 1 : 0;
  seen.quiet_ticks = waiting_ > 0 && events == seen.events ? seen.quiet_ticks + 1 : 0;
  seen.events = events;
  seen.waits = waits_;
  // The last one stands by for the case that all others are stuck.
  const bool is_behind = seen.busy_ticks >= kBusyTicks && standing_by_ > 1;
  if (standing_by_ == 0 || !(is_stuck || is_behind)) return;
  seen.busy_ticks = 0;
  --standing_by_;
  ++active_;
  ++called_in_;
  monitor_->NotifyOne();
}

}  // namespace elanus::wire
