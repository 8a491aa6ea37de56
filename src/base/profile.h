// Where the time of one request went: a tree of steps that the request's code notes as it runs,
// when somebody has asked for it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/context.h"

namespace elanus {

/// Something a step says of itself: "rows_after" is 1200.
struct ProfileFact {
  using Value = std::variant<bool, int64_t, double, std::string>;
  std::string key;
  Value value;
};

/// One step. Written by the thread that runs it, but for `children`, which steps on several threads
/// may add; read when all of them have ended.
class ProfileNode {
 public:
  ProfileNode(std::string_view step, ProfileNode* parent_step);

  std::string name;
  std::vector<ProfileFact> facts;
  int64_t begin_us = 0;  // After the first step's begin.
  int64_t wall_us = 0;
  int64_t cpu_us = 0;  // Of the thread that ran the step; of its other threads in their steps.
  uint64_t thread = 0;
  std::vector<std::unique_ptr<ProfileNode>> children;  // In the order in which they began.

  /// CPU of the step and of all below it, whatever threads they ran on.
  int64_t TotalCpuUs() const;
  /// The fact of that name, or null.
  const ProfileFact::Value* Find(std::string_view key) const;
  /// Steps that were not noted, because the tree was full. Of the first step.
  int64_t dropped_steps() const { return steps_dropped_; }
  /// A step below, of no time of its own: for what runs in turns with others and is summed up. Null
  /// when the tree is full. Thread-safe.
  ProfileNode* Add(std::string_view step);
  void Says(std::string_view key, ProfileFact::Value value) {
    facts.push_back({std::string(key), std::move(value)});
  }

 private:
  friend class ProfileStep;
  ProfileNode* const root_;
  // Of the first step, for all of them. The mutex guards every `children` and the counts.
  std::mutex mutex_;
  int64_t steps_left_ = 0;
  int64_t steps_dropped_ = 0;
  int64_t began_us_ = 0;  // On the clock.
};

/// Notes a step from its construction to its end, which must be on one thread; costs a look at a
/// pointer when nobody has asked.
///
///   ProfileStep step(ctx, "filter");
///   TRY(Evaluate(step.ctx(), ...));            // Its steps lie under this one.
///   if (step.is_on()) step.Says("rows_after", matches.Count());
class ProfileStep {
 public:
  /// A step under that of `ctx`, which must outlive it.
  ProfileStep(Context& ctx, std::string_view name) : ctx_(ctx) {
    if (ctx.profile() != nullptr) Begin(ctx.profile()->Add(name));
  }
  /// A first step that keeps up to `steps_max` below it; nothing when not `wanted`.
  ProfileStep(Context& ctx, std::string_view name, bool wanted, int64_t steps_max);
  ~ProfileStep() { End(); }
  ProfileStep(const ProfileStep&) = delete;
  ProfileStep& operator=(const ProfileStep&) = delete;

  bool is_on() const { return node_ != nullptr; }
  /// For what the step calls.
  Context& ctx() { return child_ ? *child_ : ctx_; }
  /// Ends the step early; it says nothing more.
  void End();

  // What the step says of itself; nothing when it is off. Arguments that cost something to make
  // wait for is_on().
  void Says(std::string_view key, std::string_view value);
  void Says(std::string_view key, const char* value) { Says(key, std::string_view(value)); }
  void Says(std::string_view key, bool value);
  void Says(std::string_view key, double value);
  template <class Int>
    requires std::is_integral_v<Int>
  void Says(std::string_view key, Int value) {
    SaysNumber(key, static_cast<int64_t>(value));
  }

  /// Of a first step that has ended: what it and the steps below it noted; null when it was off.
  const ProfileNode* tree() const { return tree_.get(); }

 private:
  void Begin(ProfileNode* node);
  void SaysNumber(std::string_view key, int64_t value);

  Context& ctx_;
  ProfileNode* node_ = nullptr;  // Null: off, or ended.
  std::unique_ptr<ProfileNode> tree_;
  std::optional<Context> child_;
};

/// Nanoseconds on a clock that never goes back, for times that are summed up.
int64_t ProfileClockNs();

/// Adds a fact to the step in which the caller runs.
void ProfileSays(Context& ctx, std::string_view key, std::string_view value);
void ProfileSays(Context& ctx, std::string_view key, int64_t value);

}  // namespace elanus
