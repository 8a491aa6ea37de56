// Timestamps and ids only rise: across calls, workers, restarts and clocks that step back.
#include "coord/oracle.h"

#include <set>

#include "coord/test_meta.h"

namespace elanus::coord {
namespace {

class OracleTest : public testing::Test {
 protected:
  std::unique_ptr<Oracle> Open() {
    auto opened = Oracle::Open(ctx_, meta_, *executor_, clock_);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return std::move(*opened);
  }
  Timestamp Now(Oracle& oracle) {
    const auto now = oracle.Now(ctx_);
    EXPECT_TRUE(now.ok()) << now.status().ToString();
    return now.ok() ? *now : Timestamp();
  }

  ManualClock clock_;
  Context ctx_{clock_};
  store::MemoryDisk disk_;
  RefusingMeta meta_{disk_.OpenMeta()};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
};

TEST_F(OracleTest, TimestampsRiseAndFollowTheClock) {
  const auto oracle = Open();
  Timestamp last = Now(*oracle);
  EXPECT_EQ(PhysicalMs(last), clock_.NowMs());
  for (int i = 0; i < 20'000; ++i) {
    if (i % 100 == 0) clock_.AdvanceMs(70);
    const Timestamp now = Now(*oracle);
    ASSERT_GT(now, last);
    last = now;
  }
  EXPECT_EQ(PhysicalMs(last), clock_.NowMs());
  // 14 seconds passed: a handful of windows, not a write for each call.
  EXPECT_LE(meta_.commits, 7);
}

TEST_F(OracleTest, AClockThatStepsBackDoesNotTakeTimestampsBack) {
  const auto oracle = Open();
  Timestamp last = Now(*oracle);
  for (int64_t step : {-10'000, -1, 5'000, -3'600'000}) {
    clock_.AdvanceMs(step);
    for (int i = 0; i < 3; ++i) {
      const Timestamp now = Now(*oracle);
      EXPECT_GT(now, last);
      last = now;
    }
  }
}

TEST_F(OracleTest, ARestartGoesOnAboveEverythingEvenWithAnOlderClock) {
  Timestamp last;
  int64_t last_id = 0;
  for (int restart = 0; restart < 5; ++restart) {
    const auto oracle = Open();
    for (int i = 0; i < 3; ++i) {
      const Timestamp now = Now(*oracle);
      EXPECT_GT(now, last);
      last = now;
      const auto id = oracle->AllocateIds(ctx_, 10);
      ASSERT_TRUE(id.ok());
      EXPECT_GT(*id, last_id);
      last_id = *id + 9;
    }
    clock_.AdvanceMs(-60'000);
  }
}

TEST_F(OracleTest, NothingIsGivenOutThatTheStoreDoesNotKnowOf) {
  const auto oracle = Open();
  meta_.refusing = true;
  EXPECT_EQ(oracle->Now(ctx_).status().code(), ErrorCode::kIoFailed);
  EXPECT_EQ(oracle->AllocateIds(ctx_, 1).status().code(), ErrorCode::kIoFailed);
  meta_.refusing = false;
  const Timestamp now = Now(*oracle);
  // Inside the window the store is not needed.
  meta_.refusing = true;
  EXPECT_GT(Now(*oracle), now);
  clock_.AdvanceMs(10'000);
  EXPECT_EQ(oracle->Now(ctx_).status().code(), ErrorCode::kIoFailed);
  meta_.refusing = false;
  EXPECT_GT(Now(*oracle), now);
}

TEST_F(OracleTest, IdsAreConsecutiveLargeAndCheap) {
  const auto oracle = Open();
  int64_t expected = *oracle->AllocateIds(ctx_, 1) + 1;
  EXPECT_EQ(std::to_string(expected).size(), 18u);
  for (int i = 0; i < 1000; ++i) {
    const auto first = oracle->AllocateIds(ctx_, 7);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(*first, expected);
    expected = *first + 7;
  }
  EXPECT_LE(meta_.commits, 2);
  EXPECT_EQ(*oracle->AllocateIds(ctx_, 1'000'000), expected) << "more than a block at once";
}

TEST_F(OracleTest, DamagedWindowsAreRefused) {
  store::MetaTxn txn;
  txn.puts.emplace_back("oracle/time_ms", "soon");
  ASSERT_TRUE(meta_.Commit(ctx_, txn).ok());
  EXPECT_EQ(Oracle::Open(ctx_, meta_, *executor_, clock_).status().code(), ErrorCode::kIntegrity);
}

TEST(OracleUnderASeed, WorkersNeverGetTheSame) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ManualClock clock;
    Context ctx(clock);
    auto executor = MakeSimExecutor(seed);
    store::MemoryDisk disk(executor.get());
    const auto meta = disk.OpenMeta();
    auto opened = Oracle::Open(ctx, *meta, *executor, clock);
    ASSERT_TRUE(opened.ok());
    Oracle& oracle = **opened;
    std::set<uint64_t> stamps;
    std::set<int64_t> ids;
    {
      std::vector<std::unique_ptr<Worker>> workers;
      for (int w = 0; w < 4; ++w) {
        workers.push_back(executor->Spawn("asker", [&] {
          uint64_t last = 0;
          for (int i = 0; i < 20; ++i) {
            clock.AdvanceMs(400);
            const auto now = oracle.Now(ctx);
            ASSERT_TRUE(now.ok());
            EXPECT_GT(now->value(), last);
            last = now->value();
            EXPECT_TRUE(stamps.insert(last).second) << "seed " << seed;
            const auto id = oracle.AllocateIds(ctx, 30'000);
            ASSERT_TRUE(id.ok());
            EXPECT_TRUE(ids.insert(*id).second) << "seed " << seed;
          }
        }));
      }
      workers.clear();
    }
    int64_t last = 0;
    for (int64_t id : ids) {
      EXPECT_GE(id - last, 30'000) << "seed " << seed;
      last = id;
    }
  }
}

}  // namespace
}  // namespace elanus::coord
