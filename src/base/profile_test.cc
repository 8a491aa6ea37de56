// Steps of a request, on one thread and on several.
#include "base/profile.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/executor.h"

namespace elanus {
namespace {

TEST(Profile, NotesNothingWhenNobodyAsks) {
  ManualClock clock;
  Context ctx(clock);
  ProfileStep first(ctx, "search", /*wanted=*/false, 100);
  ProfileStep second(first.ctx(), "segment");
  second.Says("rows", 5);
  EXPECT_FALSE(first.is_on());
  EXPECT_FALSE(second.is_on());
  EXPECT_EQ(&second.ctx(), &ctx);
  first.End();
  EXPECT_EQ(first.tree(), nullptr);
}

TEST(Profile, KeepsStepsUnderTheStepsThatRanThem) {
  ManualClock clock;
  Context ctx(clock);
  ProfileStep first(ctx, "search", true, 100);
  clock.AdvanceMs(1);
  {
    ProfileStep shard(first.ctx(), "shard");
    shard.Says("vchannel", "v0");
    clock.AdvanceMs(2);
    ProfileStep segment(shard.ctx(), "segment");
    segment.Says("pruned", true);
    segment.Says("share", 0.5);
    segment.Says("rows", size_t{7});
    ProfileSays(segment.ctx(), "by", "index");
    ProfileSays(segment.ctx(), "by", "scan");  // Replaces what it said before.
    clock.AdvanceMs(3);
  }
  first.End();
  const ProfileNode& tree = *first.tree();
  EXPECT_EQ(tree.wall_us, 6000);
  ASSERT_EQ(tree.children.size(), 1u);
  const ProfileNode& shard = *tree.children[0];
  EXPECT_EQ(shard.begin_us, 1000);
  EXPECT_EQ(shard.wall_us, 5000);
  EXPECT_EQ(std::get<std::string>(*shard.Find("vchannel")), "v0");
  ASSERT_EQ(shard.children.size(), 1u);
  const ProfileNode& segment = *shard.children[0];
  EXPECT_EQ(segment.wall_us, 3000);
  EXPECT_EQ(std::get<bool>(*segment.Find("pruned")), true);
  EXPECT_EQ(std::get<double>(*segment.Find("share")), 0.5);
  EXPECT_EQ(std::get<int64_t>(*segment.Find("rows")), 7);
  EXPECT_EQ(std::get<std::string>(*segment.Find("by")), "scan");
  EXPECT_EQ(segment.Find("never said"), nullptr);
}

TEST(Profile, CountsTheStepsItHasNoRoomFor) {
  ManualClock clock;
  Context ctx(clock);
  ProfileStep first(ctx, "search", true, 2);
  for (int i = 0; i < 5; ++i) {
    ProfileStep segment(first.ctx(), "segment");
    ProfileStep inner(segment.ctx(), "filter");
    ProfileSays(inner.ctx(), "fact", 1);
  }
  first.End();
  EXPECT_EQ(first.tree()->children.size(), 1u);
  EXPECT_EQ(first.tree()->dropped_steps(), 4);  // What runs under a dropped step is not counted.
}

TEST(Profile, StepsOfSeveralThreadsLieUnderOneAndTheirTimeAddsUp) {
  const auto executor = MakeThreadExecutor();
  Pool pool(*executor, "test", 3, 64);
  SystemClock clock;
  Context ctx(clock);
  ProfileStep first(ctx, "search", true, 1000);
  const Status done = pool.ParallelFor(first.ctx(), 64, [&](size_t i) -> Status {
    ProfileStep step(first.ctx(), "segment");
    step.Says("number", i);
    volatile double sum = 0;
    for (int n = 0; n < 200'000; ++n) sum = sum + n;
    return {};
  });
  EXPECT_TRUE(done.ok());
  first.End();
  const ProfileNode& tree = *first.tree();
  EXPECT_EQ(tree.children.size(), 64u);
  int64_t all_us = 0;
  for (const auto& child : tree.children) all_us += child->cpu_us;
  EXPECT_GT(all_us, 0);
  EXPECT_GE(tree.TotalCpuUs(), all_us);
  EXPECT_GE(tree.TotalCpuUs(), tree.cpu_us);
}

TEST(Context, APartIsCancelledWithTheWholeAndKeepsItsDeadline) {
  ManualClock clock;
  Context whole(clock, clock.MonotonicUs() + 1000);
  const Context part(whole, nullptr);
  EXPECT_TRUE(part.CheckAlive().ok());
  EXPECT_EQ(part.deadline_us(), whole.deadline_us());
  clock.AdvanceMs(2);
  EXPECT_EQ(part.CheckAlive().code(), ErrorCode::kDeadlineExceeded);
  whole.Cancel();
  EXPECT_EQ(part.CheckAlive().code(), ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus
