// The moment a read asks for, and how long it has to wait until time has come that far.
#include "proxy/consistency.h"

#include "proxy/ops.h"
#include "proxy/testing/key_collection.h"

namespace elanus::proxy {
namespace {

using Level = model::ConsistencyLevel;

class ConsistencyTest : public KeyCollectionTest {
 protected:
  void SetUp() override {
    model::CreateCollectionRequest create{.name = {.collection = "c"}, .schema = info_.schema};
    create.schema.fields.push_back(
        {.name = "v", .type = model::DataType::kFloatVector, .type_params = {{"dim", "2"}}});
    create.consistency_level = Level::kBounded;
    const Status created = CreateCollection(ctx_, services(), std::move(create));
    ASSERT_TRUE(created.ok()) << created.ToString();
    // Or the guarantee would be raised to the moment of the schema.
    clock_.AdvanceMs(60'000);
  }
  Services& services() { return cluster_->services(); }
  Timestamp In(int64_t ms) { return MakeTimestamp(clock_.NowMs() + ms); }
  int64_t WaitOfQuery(const model::ReadConsistency& consistency,
                      std::vector<model::KeyValue> params = {}) {
    return MsToWait(
        ctx_, services(),
        model::QueryRequest{
            .name = {.collection = "c"}, .params = std::move(params), .consistency = consistency});
  }
  Result<Timestamp> Guarantee(const model::ReadConsistency& consistency) {
    const auto collection = services().coord.catalog.Find(ctx_, {.collection = "c"});
    CHECK(collection.ok());
    return GuaranteeOf(ctx_, services(), **collection, consistency);
  }

  Context ctx_{clock_};
};

TEST_F(ConsistencyTest, AReadWaitsUntilTimeHasPassedTheMomentItNames) {
  const model::ReadConsistency ahead{.level = Level::kCustomized, .guarantee = In(700)};
  EXPECT_EQ(WaitOfQuery(ahead), 701);
  EXPECT_EQ(Guarantee(ahead).status().code(), ErrorCode::kTimeTickDelay);
  clock_.AdvanceMs(400);
  EXPECT_EQ(WaitOfQuery(ahead), 301);
  clock_.AdvanceMs(301);
  EXPECT_EQ(WaitOfQuery(ahead), 0);
  EXPECT_EQ(*Guarantee(ahead), ahead.guarantee);
}

TEST_F(ConsistencyTest, InThePresentMillisecondTheOracleDecides) {
  const Timestamp given = *services().coord.oracle.Now(ctx_);
  EXPECT_EQ(PhysicalMs(given), clock_.NowMs());
  EXPECT_EQ(WaitOfQuery({.level = Level::kSession, .guarantee = given}), 0);
  // What the oracle gave out is reached, also when the clock has gone back since.
  clock_.AdvanceMs(-50'000);
  EXPECT_EQ(WaitOfQuery({.level = Level::kSession, .guarantee = given}), 0);
  clock_.AdvanceMs(50'000);
  const Timestamp last_of_this = MakeTimestamp(clock_.NowMs(), (1u << kLogicalBits) - 1);
  EXPECT_EQ(WaitOfQuery({.level = Level::kSession, .guarantee = last_of_this}), 1);
}

TEST_F(ConsistencyTest, OnlyWhereTheLevelMeansTheNumberItIsWaitedFor) {
  for (Level level : {Level::kSession, Level::kCustomized}) {
    EXPECT_EQ(WaitOfQuery({.level = level, .guarantee = In(500)}), 501);
  }
  for (Level level : {Level::kBounded, Level::kEventually}) {
    EXPECT_EQ(WaitOfQuery({.level = level, .guarantee = In(500)}), 0);
  }
  // The form of clients from before the level travelled.
  EXPECT_EQ(WaitOfQuery({.level = Level::kStrong, .guarantee = In(500)}), 501);
  // The collection's own level is Bounded.
  EXPECT_EQ(WaitOfQuery({.use_default = true, .guarantee = In(500)}), 0);
  EXPECT_TRUE(Guarantee({.use_default = true, .guarantee = In(500)}).ok());
}

TEST_F(ConsistencyTest, WithoutALevelOfItsOwnAReadHasTheCollections) {
  const model::ReadConsistency ahead{.use_default = true, .guarantee = In(500)};
  model::CollectionInfo stored;
  for (Level level : {Level::kSession, Level::kCustomized}) {
    stored.consistency_level = level;
    EXPECT_EQ(GuaranteeOf(ctx_, services(), stored, ahead).status().code(),
              ErrorCode::kTimeTickDelay);
    const model::ReadConsistency past{.use_default = true, .guarantee = In(-500)};
    EXPECT_EQ(*GuaranteeOf(ctx_, services(), stored, past), past.guarantee);
  }
  stored.consistency_level = Level::kEventually;
  EXPECT_EQ(*GuaranteeOf(ctx_, services(), stored, ahead), Timestamp(1));
  stored.consistency_level = Level::kStrong;
  EXPECT_EQ(PhysicalMs(*GuaranteeOf(ctx_, services(), stored, ahead)), clock_.NowMs());
}

TEST_F(ConsistencyTest, NumbersOfOlderClientsSayTheLevel) {
  model::CollectionInfo stored;
  const auto level = [&](uint64_t number) {
    return LevelOf(stored, {.level = Level::kStrong, .guarantee = Timestamp(number)});
  };
  EXPECT_EQ(level(0), Level::kStrong);
  EXPECT_EQ(level(1), Level::kEventually);
  EXPECT_EQ(level(2), Level::kBounded);
  EXPECT_EQ(level(3), Level::kCustomized);
}

TEST_F(ConsistencyTest, AGuaranteeIsNeverOlderThanTheSchema) {
  model::CollectionInfo changed;
  changed.updated = In(-1);
  for (Level level : {Level::kEventually, Level::kBounded, Level::kSession}) {
    const auto guarantee =
        GuaranteeOf(ctx_, services(), changed, {.level = level, .guarantee = Timestamp(7)});
    EXPECT_EQ(*guarantee, changed.updated);
  }
}

TEST_F(ConsistencyTest, PagesOfAnIteratorWaitForTheMomentTheyAreReadAt) {
  const model::ReadConsistency pinned{.use_default = true, .guarantee = In(500)};
  EXPECT_EQ(WaitOfQuery(pinned, {{"iterator", "True"}}), 501);
  EXPECT_EQ(WaitOfQuery(pinned, {{"iterator", "False"}}), 0);
  model::SearchRequest search{.name = {.collection = "c"}, .consistency = pinned};
  EXPECT_EQ(MsToWait(ctx_, services(), search), 0);
  search.params = {{"iterator", "true"}};
  EXPECT_EQ(MsToWait(ctx_, services(), search), 501);
}

TEST_F(ConsistencyTest, HybridSearchesWaitToo) {
  const model::HybridSearchRequest search{
      .name = {.collection = "c"},
      .consistency = {.level = Level::kCustomized, .guarantee = In(500)}};
  EXPECT_EQ(MsToWait(ctx_, services(), search), 501);
}

TEST_F(ConsistencyTest, WhatIsRefusedAnywayDoesNotWait) {
  const int64_t most_ms = services().options.timestamp_lag_s_max * 1000;
  const model::ReadConsistency far{.level = Level::kCustomized, .guarantee = In(most_ms + 1000)};
  EXPECT_EQ(WaitOfQuery(far), 0);
  EXPECT_EQ(Guarantee(far).status().code(), ErrorCode::kTimeTickDelay);
  EXPECT_GT(WaitOfQuery({.level = Level::kCustomized, .guarantee = In(most_ms)}), most_ms);
  const model::ReadConsistency ahead{.level = Level::kCustomized, .guarantee = In(500)};
  EXPECT_EQ(MsToWait(ctx_, services(),
                     model::QueryRequest{.name = {.collection = "no"}, .consistency = ahead}),
            0);
  ctx_.Cancel();
  EXPECT_EQ(WaitOfQuery(ahead), 0);
  EXPECT_EQ(Guarantee(ahead).status().code(), ErrorCode::kCanceled);
}

}  // namespace
}  // namespace elanus::proxy
