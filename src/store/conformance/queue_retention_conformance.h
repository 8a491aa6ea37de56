// What every Queue promises of its pages, as tests of the conformance suite: when one counts as
// read by all, and when it goes.
#pragma once

#include <gtest/gtest.h>

#include "store/conformance/queue_medium.h"

namespace elanus::store {

TEST_P(QueueConformance, CountsAPageAsReadWhenEveryGroupHasPassedIt) {
  Reopen({.retention_min = 60});
  Group("fast");
  Group("slow");
  Fill(9);
  ASSERT_GE(Topic().pages.size(), 3u);
  EXPECT_FALSE(Topic().pages.back().is_closed);
  EXPECT_EQ(AckedPages(), 0u);
  Consume("fast");
  EXPECT_EQ(AckedPages(), 0u) << "the slow group has read nothing";
  Consume("slow", 4);
  EXPECT_EQ(AckedPages(), 1u);
  EXPECT_EQ(Topic().pages[0].acked_at_ms, clock_.NowMs());
  ASSERT_TRUE(queue_->DestroyGroup(ctx_, "t", "slow").ok());
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(AckedPages(), Topic().pages.size() - 1) << "the fast group is the only one now";
}

TEST_P(QueueConformance, KeepsWhatIsReadForAsLongAsTheRuleSays) {
  Reopen({.retention_min = 60});
  Group("g");
  Fill(9);
  const size_t pages = Topic().pages.size();
  Consume("g", 4);
  clock_.AdvanceMs(59 * 60'000);
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(Topic().pages.size(), pages);
  Consume("g");
  Reopen({.retention_min = 60});
  clock_.AdvanceMs(2 * 60'000);
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(Topic().pages.size(), pages - 1) << "the others were read two minutes ago";
  Group("late");
  EXPECT_LT(Consume("late").size(), 9u) << "goes on with what is left";
}

TEST_P(QueueConformance, KeepsNoMoreOfWhatIsReadThanTheRuleSays) {
  Reopen({.retention_mb = 0});
  Group("g");
  Fill(9);
  Consume("g");
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(Topic().pages.size(), 1u) << "what is still written to";
}

TEST_P(QueueConformance, NeverRemovesWhatAGroupHasNotRead) {
  Reopen({.retention_min = 0, .retention_mb = 0});
  Group("fast");
  Group("slow");
  Fill(9);
  Consume("fast");
  clock_.AdvanceMs(600 * 60'000);
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(Consume("slow").size(), 9u);
}

TEST_P(QueueConformance, RemovesNothingWithoutGroupsOrWithoutRules) {
  Reopen({.retention_min = 0, .retention_mb = 0});
  Fill(9);
  const size_t pages = Topic().pages.size();
  clock_.AdvanceMs(600 * 60'000);
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(Topic().pages.size(), pages) << "nobody has read it";
  Reopen();
  Group("g");
  Consume("g");
  clock_.AdvanceMs(600 * 60'000);
  ASSERT_TRUE(queue_->Retain(ctx_).ok());
  EXPECT_EQ(Topic().pages.size(), pages) << "no rule is on";
}

TEST_P(QueueConformance, CutsOffWhatItsOwnerDoesNotNeedWhoeverSleeps) {
  Group("idle");
  const auto ids = Fill(9);
  ASSERT_TRUE(queue_->Truncate(ctx_, "t", ids[6]).ok());
  const Texts rest = Consume("idle");
  EXPECT_LT(rest.size(), 9u) << "whole pages went";
  EXPECT_GE(rest.size(), 2u) << "what is behind the cut stays";
  EXPECT_EQ(rest.back(), std::string(4000, 'i'));
}

}  // namespace elanus::store
