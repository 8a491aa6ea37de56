// Fetches at the same time: how many, what an error does, and who cancels them.
#include "segment/fetches.h"

#include <gtest/gtest.h>

#include <atomic>

namespace elanus::segment {
namespace {

class FetchesTest : public testing::Test {
 protected:
  SystemClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "fetch", 3, 100};
  Fetches fetches_{pool_};
};

TEST_F(FetchesTest, GoOnAtTheSameTimeAsManyAsThereAreWorkers) {
  std::atomic<int> under_way{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  // Nobody ends before four have begun, the caller among them.
  const Status fetched = fetches_.ForEach(ctx_, 20, [&](Context& ctx, size_t) -> Status {
    const int now = ++under_way;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    while (most < 4) TRY(ctx.CheckAlive());
    --under_way;
    ++done;
    return {};
  });
  ASSERT_TRUE(fetched.ok()) << fetched.ToString();
  EXPECT_EQ(most, 4);
  EXPECT_EQ(done, 20);
}

TEST_F(FetchesTest, TheFirstErrorEndsTheOthersAndIsTheOneThatIsTold) {
  std::atomic<int> begun{0};
  const Status fetched = fetches_.ForEach(ctx_, 100, [&](Context& ctx, size_t i) -> Status {
    ++begun;
    if (i == 2) return Status(ErrorCode::kServiceUnavailable, "away");
    while (true) TRY(ctx.CheckAlive());
  });
  EXPECT_EQ(fetched.code(), ErrorCode::kServiceUnavailable);
  EXPECT_LE(begun, 4);
  EXPECT_FALSE(ctx_.canceled());
}

TEST_F(FetchesTest, WhoeverAskedCancelsThem) {
  std::atomic<int> begun{0};
  const Status fetched = fetches_.ForEach(ctx_, 100, [&](Context& ctx, size_t) -> Status {
    if (++begun == 4) ctx_.Cancel();
    while (true) TRY(ctx.CheckAlive());
  });
  EXPECT_EQ(fetched.code(), ErrorCode::kCanceled);
}

TEST_F(FetchesTest, AFetchMayAskForMore) {
  std::atomic<int> done{0};
  const Status fetched = fetches_.ForEach(ctx_, 10, [&](Context& ctx, size_t) {
    return fetches_.ForEach(ctx, 10, [&](Context&, size_t) -> Status {
      ++done;
      return {};
    });
  });
  EXPECT_TRUE(fetched.ok()) << fetched.ToString();
  EXPECT_EQ(done, 100);
}

TEST_F(FetchesTest, WithoutAPoolOneFollowsTheOther) {
  std::string order;
  const Status fetched = Fetches().ForEach(ctx_, 5, [&](Context&, size_t i) -> Status {
    order += std::to_string(i);
    return i == 3 ? Status(ErrorCode::kIoFailed, "broken") : Status();
  });
  EXPECT_EQ(fetched.code(), ErrorCode::kIoFailed);
  EXPECT_EQ(order, "0123");
}

}  // namespace
}  // namespace elanus::segment
