// Rates and quotas of collections.
#include "proxy/collection_limits.h"

#include <gtest/gtest.h>

namespace elanus::proxy {
namespace {

constexpr double kMb = 1 << 20;

class CollectionLimitsTest : public testing::Test {
 protected:
  static model::CollectionInfo Collection(int64_t id, std::vector<model::KeyValue> properties) {
    model::CollectionInfo info;
    info.id = CollectionId(id);
    info.properties = std::move(properties);
    return info;
  }
  ErrorCode Insert(const model::CollectionInfo& collection, double bytes) {
    return limits_.Take(collection, RateKind::kInsert, bytes).code();
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::vector<model::SegmentInfo> segments_;
  int looks_ = 0;
  CollectionLimits limits_{
      clock_, [this](Context&, CollectionId) -> Result<std::vector<model::SegmentInfo>> {
        ++looks_;
        return segments_;
      }};
};

TEST_F(CollectionLimitsTest, WritesBeyondTheRateComeLater) {
  const auto limited = Collection(1, {{"collection.insertRate.max.mb", "2"}});
  EXPECT_EQ(Insert(limited, kMb), ErrorCode::kOk);
  EXPECT_EQ(Insert(limited, 5 * kMb), ErrorCode::kOk) << "something was left";
  EXPECT_EQ(Insert(limited, 1), ErrorCode::kRateLimit);
  clock_.AdvanceMs(1900);
  EXPECT_EQ(Insert(limited, 1), ErrorCode::kRateLimit) << "the large one is not paid for yet";
  clock_.AdvanceMs(200);
  EXPECT_EQ(Insert(limited, 1), ErrorCode::kOk);
  // Others have their own, reads too.
  EXPECT_EQ(Insert(Collection(2, limited.properties), kMb), ErrorCode::kOk);
  EXPECT_TRUE(limits_.Take(limited, RateKind::kSearch, 1e9).ok());
}

TEST_F(CollectionLimitsTest, IdlenessIsNotSavedUp) {
  const auto limited = Collection(1, {{"collection.queryRate.max.qps", "2"}});
  const auto query = [&] { return limits_.Take(limited, RateKind::kQuery, 1).code(); };
  EXPECT_EQ(query(), ErrorCode::kOk);
  clock_.AdvanceMs(3'600'000);
  EXPECT_EQ(query(), ErrorCode::kOk);
  EXPECT_EQ(query(), ErrorCode::kOk);
  EXPECT_EQ(query(), ErrorCode::kRateLimit);
  clock_.AdvanceMs(500);
  EXPECT_EQ(query(), ErrorCode::kOk);
}

TEST_F(CollectionLimitsTest, OfASlowRateARequestIsLetInWhenAWholeOneIsLeft) {
  const auto limited = Collection(1, {{"collection.queryRate.max.qps", "0.5"}});
  const auto query = [&] { return limits_.Take(limited, RateKind::kQuery, 1).code(); };
  EXPECT_EQ(query(), ErrorCode::kOk);
  clock_.AdvanceMs(1900);
  EXPECT_EQ(query(), ErrorCode::kRateLimit);
  clock_.AdvanceMs(200);
  EXPECT_EQ(query(), ErrorCode::kOk);
}

class FlushRateTest : public CollectionLimitsTest {
 protected:
  static roles::CollectionSnapshot Of(int64_t id, std::string database = "default") {
    model::CollectionInfo info = Collection(id, {});
    info.database = std::move(database);
    return std::make_shared<const model::CollectionInfo>(std::move(info));
  }
  CollectionLimits With(FlushRateOptions rate) {
    return CollectionLimits(clock_,
                            [](Context&, CollectionId) -> Result<std::vector<model::SegmentInfo>> {
                              return std::vector<model::SegmentInfo>();
                            },
                            {.flush_rate = rate});
  }
  static Status Flush(CollectionLimits& limits, std::vector<roles::CollectionSnapshot> of) {
    return limits.TakeFlush(of);
  }
};

TEST_F(FlushRateTest, ACollectionIsFlushedOnceInTenSeconds) {
  EXPECT_TRUE(Flush(limits_, {Of(1), Of(1)}).ok()) << "named twice, flushed once";
  const Status again = Flush(limits_, {Of(1)});
  EXPECT_EQ(again.code(), ErrorCode::kRateLimit);
  EXPECT_NE(again.message().find("quotaAndLimits.flushRate.collection.max"), std::string::npos);
  EXPECT_TRUE(Flush(limits_, {Of(2)}).ok()) << "another one";
  clock_.AdvanceMs(9900);
  EXPECT_EQ(Flush(limits_, {Of(1)}).code(), ErrorCode::kRateLimit);
  clock_.AdvanceMs(200);
  EXPECT_TRUE(Flush(limits_, {Of(1)}).ok());
  EXPECT_TRUE(Flush(limits_, {}).ok());
}

TEST_F(FlushRateTest, OfSeveralCollectionsAllAreFlushedOrNone) {
  EXPECT_TRUE(Flush(limits_, {Of(1)}).ok());
  EXPECT_EQ(Flush(limits_, {Of(3), Of(1), Of(2)}).code(), ErrorCode::kRateLimit);
  EXPECT_TRUE(Flush(limits_, {Of(2), Of(3)}).ok()) << "what was refused has used nothing";
}

TEST_F(FlushRateTest, DatabasesAndTheServerHaveRatesOfTheirOwn) {
  CollectionLimits limits = With({.all_max = 4, .database_max = 2, .collection_max = -1});
  EXPECT_TRUE(Flush(limits, {Of(1), Of(2)}).ok());
  const Status third = Flush(limits, {Of(3)});
  EXPECT_EQ(third.code(), ErrorCode::kRateLimit);
  EXPECT_NE(third.message().find("quotaAndLimits.flushRate.db.max"), std::string::npos);
  EXPECT_TRUE(Flush(limits, {Of(4, "other"), Of(5, "other")}).ok());
  const Status fifth = Flush(limits, {Of(6, "third")});
  EXPECT_EQ(fifth.code(), ErrorCode::kRateLimit);
  EXPECT_NE(fifth.message().find("quotaAndLimits.flushRate.max"), std::string::npos);
  clock_.AdvanceMs(600);
  EXPECT_TRUE(Flush(limits, {Of(3)}).ok());
}

TEST_F(FlushRateTest, ARateOfNothingDeniesAndTheSwitchTurnsAllOff) {
  CollectionLimits none = With({.collection_max = 0});
  EXPECT_EQ(Flush(none, {Of(1)}).code(), ErrorCode::kQuotaExceeded);
  CollectionLimits off = With({.enabled = false, .all_max = 0, .database_max = 0});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Flush(off, {Of(1)}).ok());
}

TEST_F(CollectionLimitsTest, ARateOfNothingDeniesAndANegativeOneIsNone) {
  EXPECT_EQ(Insert(Collection(1, {{"collection.insertRate.max.mb", "0"}}), 1),
            ErrorCode::kQuotaExceeded);
  const auto unlimited = Collection(1, {{"collection.insertRate.max.mb", "-1"}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Insert(unlimited, 1e12), ErrorCode::kOk);
}

TEST_F(CollectionLimitsTest, FullCollectionsAndPartitionsTakeNoRows) {
  segments_ = {{.partition = PartitionId(1), .bytes = 3 << 20},
               {.partition = PartitionId(2), .bytes = 1 << 20}};
  segments_[1].indexes.push_back({.bytes = 1 << 20});
  const auto whole = Collection(1, {{"collection.diskProtection.diskQuota.mb", "5"}});
  EXPECT_EQ(limits_.CheckRoom(ctx_, whole, PartitionId(1)).code(), ErrorCode::kQuotaExceeded);
  const auto part = Collection(1, {{"partition.diskProtection.diskQuota.mb", "3"}});
  EXPECT_EQ(limits_.CheckRoom(ctx_, part, PartitionId(1)).code(), ErrorCode::kQuotaExceeded);
  EXPECT_TRUE(limits_.CheckRoom(ctx_, part, PartitionId(2)).ok());
  EXPECT_EQ(looks_, 1) << "the catalog is not asked at every write";
  segments_.clear();
  clock_.AdvanceMs(3100);
  EXPECT_TRUE(limits_.CheckRoom(ctx_, whole, PartitionId(1)).ok());
  EXPECT_TRUE(limits_.CheckRoom(ctx_, Collection(9, {}), PartitionId(1)).ok());
  EXPECT_EQ(looks_, 2) << "a collection without a quota costs nothing";
}

TEST_F(CollectionLimitsTest, LimitsAreNumbers) {
  EXPECT_TRUE(IsLimit("collection.bulkLoadRate.min.mb"));
  EXPECT_FALSE(IsLimit("collection.insertRate"));
  EXPECT_TRUE(CheckLimit({"collection.insertRate.max.mb", "0.5"}).ok());
  for (const char* bad : {"", "many", "1 MB", "nan"}) {
    EXPECT_EQ(CheckLimit({"collection.insertRate.max.mb", bad}).code(),
              ErrorCode::kInvalidParameter)
        << bad;
  }
}

TEST_F(CollectionLimitsTest, InsertsHaveASizeWhereThereIsALimit) {
  EXPECT_TRUE(limits_.CheckSize(SIZE_MAX).ok()) << "there is none";
  const CollectionLimits limited(
      clock_,
      [](Context&, CollectionId) -> Result<std::vector<model::SegmentInfo>> {
        return std::vector<model::SegmentInfo>();
      },
      {.insert_bytes_max = 100});
  EXPECT_TRUE(limited.CheckSize(100).ok());
  EXPECT_EQ(limited.CheckSize(101).code(), ErrorCode::kParameterTooLarge);
}

}  // namespace
}  // namespace elanus::proxy
