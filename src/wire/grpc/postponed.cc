// Calls that wait for the clock.
#include "wire/grpc/postponed.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace elanus::wire {
namespace {

// How late it is seen that a caller has gone.
constexpr int64_t kLookMs = 100;

}  // namespace

Postponed::Postponed(Executor& executor, Clock& clock, size_t size_max, Run run)
    : clock_(clock),
      size_max_(size_max),
      run_(std::move(run)),
      monitor_(executor.MakeMonitor()),
      watch_(executor.Spawn("postponed", [this] { Watch(); })) {}

Postponed::~Postponed() { Close(); }

bool Postponed::Put(std::shared_ptr<const Context> ctx, int64_t wait_ms,
                    std::unique_ptr<Work>& work) {
  std::lock_guard<Monitor> lock(*monitor_);
  if (is_closed_ || entries_.size() >= size_max_) return false;
  const int64_t due_us = clock_.MonotonicUs() + wait_ms * 1000;
  entries_.push_back({.ctx = std::move(ctx), .due_us = due_us, .work = std::move(work)});
  monitor_->NotifyAll();
  return true;
}

void Postponed::Close() {
  {
    std::lock_guard<Monitor> lock(*monitor_);
    is_closed_ = true;
    monitor_->NotifyAll();
  }
  watch_.reset();
}

size_t Postponed::size() const {
  std::lock_guard<Monitor> lock(*monitor_);
  return entries_.size();
}

std::vector<Postponed::Entry> Postponed::TakeDueLocked() {
  const int64_t now_us = clock_.MonotonicUs();
  const auto due = std::partition(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return !is_closed_ && entry.due_us > now_us && entry.ctx->CheckAlive().ok();
  });
  std::vector<Entry> taken(std::make_move_iterator(due), std::make_move_iterator(entries_.end()));
  entries_.erase(due, entries_.end());
  return taken;
}

void Postponed::Watch() {
  std::unique_lock<Monitor> lock(*monitor_);
  while (true) {
    std::vector<Entry> due = TakeDueLocked();
    if (!due.empty()) {
      lock.unlock();
      for (Entry& entry : due) run_(std::move(entry.work));
      lock.lock();
      continue;
    }
    if (is_closed_) return;
    if (entries_.empty()) {
      monitor_->Wait();
      continue;
    }
    const auto next =
        std::min_element(entries_.begin(), entries_.end(),
                         [](const Entry& a, const Entry& b) { return a.due_us < b.due_us; });
    // Up to the next millisecond, so that nothing is looked at just before its time.
    const int64_t left_ms = (next->due_us - clock_.MonotonicUs() + 999) / 1000;
    monitor_->WaitFor(std::clamp<int64_t>(left_ms, 1, kLookMs));
  }
}

}  // namespace elanus::wire
