// Large, old and idle shards are sealed; small, young and busy ones are not.
#include "streaming/seal_rule.h"

#include <gtest/gtest.h>

#include "roles/testing/stand_ins.h"

namespace elanus::streaming {
namespace {

constexpr int64_t kNowMs = 1'700'000'000'000;
constexpr int64_t kDayMs = 24 * 3600 * 1000;

class SealRuleTest : public testing::Test {
 protected:
  SealRuleTest() {
    auto info = std::make_shared<model::CollectionInfo>();
    info->id = CollectionId(1);
    info->partitions.push_back({.id = PartitionId(2)});
    info->schema.fields.push_back({.id = FieldId(100),
                                   .name = "id",
                                   .type = model::DataType::kVarChar,
                                   .is_primary_key = true});
    shard_.emplace(*executor_, query_, "v", std::move(info), model::ShardCheckpoint());
  }
  void Insert(int64_t at_ms, size_t bytes) {
    model::ShardWrite write{.vchannel = "v", .partition = PartitionId(2)};
    model::Column keys =
        model::MakeColumn(FieldId(100), "id", model::DataType::kVarChar, model::DataType::kNone, 0);
    keys.AppendBytes(std::string(bytes, 'x'));
    write.columns.push_back(std::move(keys));
    ASSERT_TRUE(shard_->Apply(ctx_, write, MakeTimestamp(at_ms), ++position_, SegmentId(5)).ok());
  }
  // Of keys of ten bytes: 34 bytes a delete.
  void Delete(int64_t at_ms, size_t rows) {
    model::ShardWrite write{.vchannel = "v"};
    write.delete_keys =
        model::MakeColumn(FieldId(0), "", model::DataType::kVarChar, model::DataType::kNone, 0);
    for (size_t i = 0; i < rows; ++i) write.delete_keys.AppendBytes(fmt::format("{:010}", i));
    ASSERT_TRUE(shard_->Apply(ctx_, write, MakeTimestamp(at_ms), ++position_, SegmentId(5)).ok());
  }
  bool IsDue(int64_t now_ms) const { return SealIsDue(*shard_, options_, now_ms); }

  ManualClock clock_{kNowMs};
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  roles::StandInQuery query_;
  std::optional<shard::Shard> shard_;
  uint64_t position_ = 0;
  StreamingOptions options_;
};

TEST_F(SealRuleTest, AnEmptyShardIsNeverDue) { EXPECT_FALSE(IsDue(kNowMs + 10 * kDayMs)); }

TEST_F(SealRuleTest, SizeCountsAsAProportionOfASegment) {
  Insert(kNowMs, 3 << 20);
  options_.segment_mb_max = static_cast<int64_t>(shard_->growing_bytes() >> 20) + 1;
  EXPECT_FALSE(IsDue(kNowMs));
  options_.seal_proportion = 0.5;
  EXPECT_TRUE(IsDue(kNowMs));
  options_.seal_proportion = 1;
  options_.segment_mb_max -= 1;
  EXPECT_TRUE(IsDue(kNowMs));
}

TEST_F(SealRuleTest, AgeIsThatOfTheOldestRow) {
  Insert(kNowMs, 10);
  Insert(kNowMs + kDayMs - 1, 10);
  EXPECT_FALSE(IsDue(kNowMs + kDayMs - 1));
  EXPECT_TRUE(IsDue(kNowMs + kDayMs));
}

TEST_F(SealRuleTest, IdleIsWithoutWritesForLongUnlessItIsTiny) {
  Insert(kNowMs, 10);
  Insert(kNowMs + 1000, 10);
  options_.idle_mb_min = static_cast<int64_t>(shard_->growing_bytes() >> 20) + 1;
  EXPECT_FALSE(IsDue(kNowMs + 700'000)) << "tiny";
  options_.idle_mb_min -= 1;
  EXPECT_FALSE(IsDue(kNowMs + 600'999));
  EXPECT_TRUE(IsDue(kNowMs + 601'000));
}

TEST_F(SealRuleTest, DeletesAloneAreDueWhenTheyAreManyLargeOrOld) {
  Delete(kNowMs, 99);
  Delete(kNowMs + 1000, 1);
  EXPECT_FALSE(IsDue(kNowMs + 599'999));
  EXPECT_TRUE(IsDue(kNowMs + 600'000)) << "the oldest counts";
  options_.deletes_max = 101;
  EXPECT_FALSE(IsDue(kNowMs));
  options_.deletes_max = 100;
  EXPECT_TRUE(IsDue(kNowMs));
  options_.deletes_max = 101;
  options_.delete_bytes_max = static_cast<int64_t>(shard_->pending_deletes().bytes) + 1;
  EXPECT_FALSE(IsDue(kNowMs));
  options_.delete_bytes_max -= 1;
  EXPECT_TRUE(IsDue(kNowMs));
  ASSERT_NE(shard_->Seal(MakeTimestamp(kNowMs + 2000)), nullptr);
  EXPECT_FALSE(IsDue(kNowMs + 10 * kDayMs)) << "none wait any more";
}

TEST_F(SealRuleTest, DeletesBesideRowsAreDueWhenTheyAreVeryMany) {
  Insert(kNowMs, 10);
  Delete(kNowMs, 40'000);
  EXPECT_FALSE(IsDue(kNowMs + 600'000)) << "rows and deletes are written together, later";
  options_.deletes_max = 1;
  options_.delete_bytes_max = 1;
  EXPECT_FALSE(IsDue(kNowMs));
  options_.deletes_beside_rows_max = 40'000;
  EXPECT_TRUE(IsDue(kNowMs));
  options_.deletes_beside_rows_max = 40'001;
  options_.delete_mb_beside_rows_max = 2;
  EXPECT_FALSE(IsDue(kNowMs));
  options_.delete_mb_beside_rows_max = 1;
  EXPECT_TRUE(IsDue(kNowMs)) << "1.3 MB";
}

TEST(SealedForRoomTest, TheLargestGoUntilTheRestHasRoom) {
  using Sizes = std::vector<size_t>;
  const Sizes sizes = {30, 100, 5, 60, 0};
  EXPECT_EQ(SealedForRoom(sizes, 195), Sizes());
  EXPECT_EQ(SealedForRoom(sizes, 194), (Sizes{1}));
  EXPECT_EQ(SealedForRoom(sizes, 95), (Sizes{1}));
  EXPECT_EQ(SealedForRoom(sizes, 94), (Sizes{1, 3}));
  EXPECT_EQ(SealedForRoom(sizes, 1), (Sizes{0, 1, 2, 3}));
  EXPECT_EQ(SealedForRoom(sizes, 0), Sizes()) << "no rule";
  EXPECT_EQ(SealedForRoom({}, 1), Sizes());
}

}  // namespace
}  // namespace elanus::streaming
