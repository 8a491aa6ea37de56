// Steps of a request.
#include "base/profile.h"

#include <time.h>
#include <unistd.h>

namespace elanus {
namespace {

int64_t ThreadCpuUs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

ProfileNode::ProfileNode(std::string_view step, ProfileNode* parent_step)
    : name(step), root_(parent_step == nullptr ? this : parent_step->root_) {}

ProfileNode* ProfileNode::Add(std::string_view step) {
  std::lock_guard<std::mutex> lock(root_->mutex_);
  if (root_->steps_left_ == 0) {
    ++root_->steps_dropped_;
    return nullptr;
  }
  --root_->steps_left_;
  return children.emplace_back(std::make_unique<ProfileNode>(step, this)).get();
}

int64_t ProfileNode::TotalCpuUs() const {
  int64_t total = cpu_us;
  for (const auto& child : children) {
    total += child->TotalCpuUs();
    if (child->thread == thread) total -= child->cpu_us;  // It is in this step's own.
  }
  return total;
}

const ProfileFact::Value* ProfileNode::Find(std::string_view key) const {
  for (const ProfileFact& fact : facts) {
    if (fact.key == key) return &fact.value;
  }
  return nullptr;
}

ProfileStep::ProfileStep(Context& ctx, std::string_view name, bool wanted, int64_t steps_max)
    : ctx_(ctx) {
  if (!wanted) return;
  tree_ = std::make_unique<ProfileNode>(name, nullptr);
  tree_->steps_left_ = steps_max;
  tree_->began_us_ = ctx.clock().MonotonicUs();
  Begin(tree_.get());
}

void ProfileStep::Begin(ProfileNode* node) {
  // Without a node nobody below notes anything: the step above may be another thread's.
  child_.emplace(ctx_, node);
  if (node == nullptr) return;
  node_ = node;
  node->thread = static_cast<uint64_t>(gettid());
  node->begin_us = ctx_.clock().MonotonicUs() - node->root_->began_us_;
  node->cpu_us = -ThreadCpuUs();
}

void ProfileStep::End() {
  if (node_ == nullptr) return;
  node_->cpu_us += ThreadCpuUs();
  node_->wall_us = ctx_.clock().MonotonicUs() - node_->root_->began_us_ - node_->begin_us;
  node_ = nullptr;
}

void ProfileStep::Says(std::string_view key, std::string_view value) {
  if (node_ != nullptr) node_->facts.push_back({std::string(key), std::string(value)});
}

void ProfileStep::Says(std::string_view key, bool value) {
  if (node_ != nullptr) node_->facts.push_back({std::string(key), value});
}

void ProfileStep::Says(std::string_view key, double value) {
  if (node_ != nullptr) node_->facts.push_back({std::string(key), value});
}

void ProfileStep::SaysNumber(std::string_view key, int64_t value) {
  if (node_ != nullptr) node_->facts.push_back({std::string(key), value});
}

int64_t ProfileClockNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

namespace {

// What is said again replaces what was said before: a loop does not fill the tree.
void Replace(ProfileNode& node, std::string_view key, ProfileFact::Value value) {
  for (ProfileFact& fact : node.facts) {
    if (fact.key != key) continue;
    fact.value = std::move(value);
    return;
  }
  node.Says(key, std::move(value));
}

}  // namespace

void ProfileSays(Context& ctx, std::string_view key, std::string_view value) {
  if (ctx.profile() != nullptr) Replace(*ctx.profile(), key, std::string(value));
}

void ProfileSays(Context& ctx, std::string_view key, int64_t value) {
  if (ctx.profile() != nullptr) Replace(*ctx.profile(), key, value);
}

}  // namespace elanus
