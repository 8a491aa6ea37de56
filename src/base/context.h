// What travels with a request: deadline, cancellation, and where to note what its steps cost. The
// first parameter of all that may take time.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/status.h"

namespace elanus {

class ProfileNode;  // base/profile.h

/// Thread-safe. Loops call CheckAlive() once per tile (about 100 us of work).
class Context {
 public:
  /// No deadline.
  explicit Context(Clock& clock) : clock_(&clock) {}
  /// `deadline_us` on clock.MonotonicUs(); INT64_MAX means none.
  Context(Clock& clock, int64_t deadline_us) : clock_(&clock), deadline_us_(deadline_us) {}
  /// A part of `parent`, which must outlive it: cancelled with it and under the same deadline; what
  /// its steps cost is noted under `profile`.
  Context(const Context& parent, ProfileNode* profile)
      : clock_(parent.clock_),
        parent_(&parent),
        profile_(profile),
        deadline_us_(parent.deadline_us_) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void Cancel() { canceled_.store(true, std::memory_order_relaxed); }
  bool canceled() const {
    return canceled_.load(std::memory_order_relaxed) || (parent_ != nullptr && parent_->canceled());
  }
  int64_t deadline_us() const { return deadline_us_; }
  Clock& clock() const { return *clock_; }
  /// Null, as mostly: nobody asks what the request's steps cost. See base/profile.h.
  ProfileNode* profile() const { return profile_; }

  /// kCanceled or kDeadlineExceeded once the caller is gone.
  Status CheckAlive() const {
    if (canceled()) return Status(ErrorCode::kCanceled, "the caller has gone");
    if (deadline_us_ != INT64_MAX && clock_->MonotonicUs() > deadline_us_) {
      return Status(ErrorCode::kDeadlineExceeded, "the request's deadline has passed");
    }
    return {};
  }

 private:
  Clock* clock_;
  const Context* parent_ = nullptr;
  ProfileNode* profile_ = nullptr;
  int64_t deadline_us_ = INT64_MAX;
  std::atomic<bool> canceled_{false};
};

}  // namespace elanus
