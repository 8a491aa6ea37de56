// Writes take the time they should.
#include "data/write_pace.h"

#include <gtest/gtest.h>

namespace elanus::data {
namespace {

TEST(WritePace, TakesTheTimeThatTheRateSays) {
  SystemClock clock;
  Context ctx(clock);
  const auto executor = MakeThreadExecutor();
  WritePace pace(*executor, clock, 10 << 20);
  const int64_t begin_us = clock.MonotonicUs();
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(pace.Spend(ctx, 64 << 10).ok());
  EXPECT_GE(clock.MonotonicUs() - begin_us, 95'000) << "a megabyte at ten a second";
}

TEST(WritePace, HoldsNothingUpWithoutARate) {
  ManualClock clock;  // Would stand still for ever.
  Context ctx(clock);
  const auto executor = MakeThreadExecutor();
  WritePace pace(*executor, clock, 0);
  EXPECT_TRUE(pace.Spend(ctx, size_t{1} << 40).ok());
}

TEST(WritePace, EndsWithItsCaller) {
  ManualClock clock;
  Context ctx(clock);
  ctx.Cancel();
  const auto executor = MakeThreadExecutor();
  WritePace pace(*executor, clock, 1);
  EXPECT_EQ(pace.Spend(ctx, 1 << 20).code(), ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::data
