// Garbage: what was dropped goes after its grace, leftovers go when they have been seen for long,
// and nothing else does.
#include "coord/garbage.h"

#include <set>

#include "coord/test_meta.h"
#include "roles/testing/stand_ins.h"
#include "store/testing/forwarding_store.h"

namespace elanus::coord {
namespace {

/// Knows which segments are being written; the rest is not asked.
class FreshStreaming final : public roles::StandInStreaming {
 public:
  Result<std::vector<SegmentId>> FreshSegments(Context&, CollectionId) override { return fresh; }
  std::vector<SegmentId> fresh;
};

/// Says of unfinished writes what a test does.
class UnfinishedStore final : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<size_t> EndUnfinished(Context&, int64_t age_ms_min) override {
    ages.push_back(age_ms_min);
    return younger;
  }
  std::vector<int64_t> ages;  // That it was asked for.
  Result<size_t> younger = size_t{0};
};

class GarbageTest : public testing::Test {
 protected:
  GarbageTest() {
    EXPECT_TRUE(process_.catalog->CreateCollection(ctx(), MakeRequest("c")).ok());
    const auto info = process_.Find("c");
    id_ = std::to_string(info->id.value());
    EXPECT_TRUE(
        process_.catalog
            ->CreateIndex(ctx(), info->id, {.name = "i", .field = FieldId(101), .type = "HNSW"})
            .ok());
    index_ = std::to_string(process_.Find("c")->indexes[0].id.value());
  }
  Context& ctx() { return process_.ctx; }
  void Start(const GarbageOptions& options) {
    collector_ = std::make_unique<GarbageCollector>(
        GarbageParts{.executor = *executor_,
                     .clock = clock_,
                     .catalog = *process_.catalog,
                     .streaming = streaming_,
                     .objects = store_,
                     .folders_in_use = [this] { return in_use_; },
                     .keys_in_use = [this] { return keys_in_use_; }},
        options);
  }
  void Put(const std::string& key) { ASSERT_TRUE(objects_->Put(ctx(), key, "x").ok()); }
  std::set<std::string> Left() {
    const auto keys = objects_->List(ctx(), "");
    return {keys->begin(), keys->end()};
  }
  void Collect() {
    const Status status = collector_->Collect(ctx());
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  /// Official, with its column file.
  void Flush(int64_t id, uint64_t at) {
    const auto info = process_.Find("c");
    Put(fmt::format("segments/{}/{}/100.col", id_, id));
    ASSERT_TRUE(
        process_.catalog->CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, id)}, at)).ok());
  }

  ManualClock clock_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  store::MemoryDisk disk_;
  std::unique_ptr<store::ObjectStore> objects_ = disk_.OpenObjects();
  UnfinishedStore store_{*objects_};
  Process process_{disk_, *executor_, clock_};
  FreshStreaming streaming_;
  std::vector<std::string> in_use_;
  std::set<std::string> keys_in_use_;
  std::string id_;
  std::string index_;
  std::unique_ptr<GarbageCollector> collector_;
};

TEST_F(GarbageTest, FilesOfACompactedSegmentGoAfterTheirGraceAndOthersStay) {
  Start({.dropped_s_min = 100, .unknown_s_min = 1'000'000});
  Flush(1, 1);
  Flush(12, 2);
  Put("indexes/" + id_ + "/1/" + index_);
  const auto info = process_.Find("c");
  ASSERT_TRUE(
      process_.catalog->CommitCompaction(ctx(), MakeCompaction(*info, {1}, std::nullopt)).ok());
  clock_.AdvanceMs(99'000);
  Collect();
  EXPECT_EQ(Left().size(), 3u);
  clock_.AdvanceMs(2'000);
  Collect();
  EXPECT_EQ(Left(), (std::set<std::string>{"segments/" + id_ + "/12/100.col"}))
      << "12 begins with a 1 and stays";
  EXPECT_TRUE(process_.catalog->ListGarbage(ctx())->empty());
}

TEST_F(GarbageTest, ADroppedCollectionLeavesNothing) {
  Start({.dropped_s_min = 0});
  Flush(1, 1);
  Put("deltas/" + id_ + "/v/00000000000000000005");
  Put("elsewhere/" + id_ + "/1/2");
  ASSERT_TRUE(process_.catalog->DropCollection(ctx(), {.database = "", .collection = "c"}).ok());
  Collect();
  EXPECT_EQ(Left(), (std::set<std::string>{"elsewhere/" + id_ + "/1/2"})) << "not ours to judge";
}

TEST_F(GarbageTest, WritesThatNobodyFinishesEndAfterTheGraceOfLeftovers) {
  Start({.unknown_s_min = 100, .scan_interval_h = 1});
  store_.younger = size_t{2};
  Collect();
  Collect();
  EXPECT_EQ(store_.ages, (std::vector<int64_t>{100'000, 100'000})) << "as long as some are younger";
  store_.younger = size_t{0};
  Collect();
  Collect();
  EXPECT_EQ(store_.ages.size(), 3u) << "then no more, up to the next scan";
  clock_.AdvanceMs(3'600'000);
  store_.younger = Status(ErrorCode::kIoFailed, "AccessDenied");
  Collect();
  Collect();
  EXPECT_EQ(store_.ages.size(), 4u) << "a store that does not list them is not asked all the time";
}

TEST_F(GarbageTest, LeftoversGoWhenTheyHaveBeenSeenForLong) {
  Start({.dropped_s_min = 0, .unknown_s_min = 100});
  Flush(1, 50);
  const std::string channel = process_.Find("c")->vchannels[0];
  const std::set<std::string> stay = {
      "segments/" + id_ + "/1/100.col",
      "indexes/" + id_ + "/1/" + index_,                      // Built, its commit is on the way.
      "segments/" + id_ + "/5/100.col",                       // Being flushed.
      "segments/" + id_ + "/6/100.col",                       // Being compacted.
      fmt::format("deltas/{}/{}/{:020}", id_, channel, 501),  // Newer than the checkpoint, 500.
  };
  for (const std::string& key : stay) Put(key);
  for (const std::string& key : {"segments/" + id_ + "/7/100.col", "indexes/" + id_ + "/7/3",
                                 "indexes/" + id_ + "/1/999", std::string("segments/77/1/manifest"),
                                 fmt::format("deltas/{}/{}/{:020}", id_, channel, 499),
                                 fmt::format("deltas/{}/{}/{:020}-8", id_, channel, 499)}) {
    Put(key);
  }
  streaming_.fresh = {SegmentId(5)};
  in_use_ = {"segments/" + id_ + "/6/"};
  Collect();
  EXPECT_EQ(Left().size(), 11u) << "seen for the first time";
  clock_.AdvanceMs(99'000);
  Collect();
  EXPECT_EQ(Left().size(), 11u);
  clock_.AdvanceMs(1'000);
  Collect();
  EXPECT_EQ(Left(), stay);
}

TEST_F(GarbageTest, APauseHoldsEveryFileUntilItsTicketIsGivenBack) {
  Start({.dropped_s_min = 0, .unknown_s_min = 100});
  Flush(1, 1);
  Put("segments/" + id_ + "/9/100.col");  // Nobody's.
  Collect();
  ASSERT_TRUE(process_.catalog->DropCollection(ctx(), {.database = "", .collection = "c"}).ok());
  clock_.AdvanceMs(200'000);
  const auto first = collector_->Pause(ctx(), 1000, {});
  const auto second = collector_->Pause(ctx(), 10, {});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(*first, *second);
  Collect();
  EXPECT_EQ(Left().size(), 2u);
  EXPECT_TRUE(collector_->Resume(ctx(), *second).ok());
  EXPECT_EQ(collector_->Resume(ctx(), *second).code(), ErrorCode::kInvalidParameter);
  Collect();
  EXPECT_EQ(Left().size(), 2u) << "the other ticket holds them";
  EXPECT_TRUE(collector_->Resume(ctx(), *first).ok());
  Collect();
  EXPECT_TRUE(Left().empty());
  EXPECT_TRUE(process_.catalog->ListGarbage(ctx())->empty());
}

TEST_F(GarbageTest, APauseEndsWhenItsTimeIsOverOrWhenAllAreEnded) {
  Start({.dropped_s_min = 0});
  Flush(1, 1);
  ASSERT_TRUE(process_.catalog->DropCollection(ctx(), {.database = "", .collection = "c"}).ok());
  const auto brief = collector_->Pause(ctx(), 60, {});
  ASSERT_TRUE(brief.ok());
  clock_.AdvanceMs(59'000);
  Collect();
  EXPECT_EQ(Left().size(), 1u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(collector_->Pause(ctx(), 1000, {}).ok());
  clock_.AdvanceMs(1'000);
  EXPECT_TRUE(collector_->Resume(ctx(), "").ok());
  EXPECT_EQ(collector_->Resume(ctx(), *brief).code(), ErrorCode::kInvalidParameter);
  ASSERT_TRUE(collector_->Pause(ctx(), 60, {}).ok());
  clock_.AdvanceMs(60'000);
  Collect();
  EXPECT_TRUE(Left().empty()) << "its time is over";
  for (const int64_t bad : {int64_t{0}, int64_t{-1}, int64_t{3'155'760'001}}) {
    EXPECT_EQ(collector_->Pause(ctx(), bad, {}).status().code(), ErrorCode::kInvalidParameter);
  }
}

TEST_F(GarbageTest, APauseOfACollectionHoldsItsFilesAndNoOthers) {
  Start({.dropped_s_min = 0, .unknown_s_min = 0});
  Put("segments/" + id_ + "/7/100.col");
  Put("segments/" + id_ + "0/7/100.col");
  const auto ticket = collector_->Pause(ctx(), 60, process_.Find("c")->id);
  ASSERT_TRUE(ticket.ok());
  Collect();
  EXPECT_EQ(Left(), (std::set<std::string>{"segments/" + id_ + "/7/100.col"}));
  EXPECT_TRUE(collector_->Resume(ctx(), *ticket).ok());
  Collect();
  EXPECT_TRUE(Left().empty());
}

TEST_F(GarbageTest, ALeftoverThatBecomesOfficialStays) {
  Start({.unknown_s_min = 100});
  Put("segments/" + id_ + "/9/100.col");
  Collect();
  clock_.AdvanceMs(200'000);
  Flush(9, 1);
  Collect();
  EXPECT_EQ(Left().size(), 1u);
}

TEST_F(GarbageTest, AFailedRoundIsMadeGood) {
  Start({.dropped_s_min = 0});
  Flush(1, 1);
  ASSERT_TRUE(process_.catalog->DropCollection(ctx(), {.database = "", .collection = "c"}).ok());
  process_.meta.refusing = true;
  EXPECT_EQ(collector_->Collect(ctx()).code(), ErrorCode::kIoFailed);
  process_.meta.refusing = false;
  EXPECT_EQ(process_.catalog->ListGarbage(ctx())->size(), 1u);
  Collect();
  EXPECT_TRUE(process_.catalog->ListGarbage(ctx())->empty());
  EXPECT_TRUE(Left().empty());
}

TEST_F(GarbageTest, WhatALoadedSegmentMayOpenLaterStaysUntilItIsLetGoOf) {
  Start({.dropped_s_min = 100, .unknown_s_min = 100, .scan_interval_h = 0});
  Flush(1, 1);
  Put("segments/" + id_ + "/1/102.col");
  const std::string lost = "segments/" + id_ + "/77/100.col";  // Of a flush that a crash cut short.
  Put(lost);
  const auto info = process_.Find("c");
  ASSERT_TRUE(
      process_.catalog->CommitCompaction(ctx(), MakeCompaction(*info, {1}, std::nullopt)).ok());
  keys_in_use_ = {"segments/" + id_ + "/1/102.col", lost};
  Collect();
  clock_.AdvanceMs(101'000);
  Collect();
  EXPECT_EQ(Left().count("segments/" + id_ + "/1/102.col"), 1u);
  EXPECT_EQ(Left().count(lost), 1u);
  keys_in_use_.clear();
  Collect();
  clock_.AdvanceMs(101'000);
  Collect();
  EXPECT_TRUE(Left().empty());
}

}  // namespace
}  // namespace elanus::coord
