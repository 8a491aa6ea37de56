// Builds wait for one another's memory, and a single one never.
#include "data/build_memory.h"

#include <gtest/gtest.h>

#include <optional>

namespace elanus::data {
namespace {

class BuildMemoryTest : public testing::Test {
 protected:
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(3);
  ManualClock clock_;
  Context ctx_{clock_};
};

TEST_F(BuildMemoryTest, LetsOneBuildInHoweverLarge) {
  BuildMemory memory(*executor_, 100);
  EXPECT_TRUE(memory.Take(ctx_, 1000).ok());
  EXPECT_TRUE(memory.Take(ctx_, 1000).ok()) << "the first is over";
}

TEST_F(BuildMemoryTest, LetsTheNextOneInWhenThereIsRoom) {
  BuildMemory memory(*executor_, 100);
  std::optional<BuildMemory::Share> first;
  first.emplace(std::move(*memory.Take(ctx_, 60)));
  const auto beside = memory.Take(ctx_, 40);
  ASSERT_TRUE(beside.ok()) << "both fit";
  bool is_in = false;
  auto worker = executor_->Spawn("build", [&] { is_in = memory.Take(ctx_, 50).ok(); });
  for (int i = 0; i < 10; ++i) executor_->Yield();
  EXPECT_FALSE(is_in);
  first.reset();
  worker.reset();
  EXPECT_TRUE(is_in);
}

TEST_F(BuildMemoryTest, EndsAWaitThatIsCancelled) {
  BuildMemory memory(*executor_, 100);
  const auto first = memory.Take(ctx_, 60);
  Context waiting(clock_);
  waiting.Cancel();
  EXPECT_EQ(memory.Take(waiting, 60).status().code(), ErrorCode::kCanceled);
}

TEST_F(BuildMemoryTest, HoldsNobodyUpWithoutALimit) {
  BuildMemory memory(*executor_, 0);
  const auto first = memory.Take(ctx_, INT64_MAX / 4);
  EXPECT_TRUE(memory.Take(ctx_, INT64_MAX / 4).ok());
}

}  // namespace
}  // namespace elanus::data
