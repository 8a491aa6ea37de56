// Snapshots: of one moment of the catalog, listed by database, held while a restore needs them.
#include "coord/snapshots.h"

#include <gmock/gmock.h>

#include "coord/test_meta.h"
#include "roles/testing/stand_ins.h"

namespace elanus::coord {
namespace {

using model::RestoreState;
using testing::ElementsAre;

class OpeningStreaming final : public roles::StandInStreaming {
 public:
  Status OpenChannels(Context&, CollectionId) override { return {}; }
};

class SnapshotsTest : public testing::TestWithParam<uint64_t> {
 protected:
  SnapshotsTest() {
    EXPECT_TRUE(process_.catalog->CreateCollection(ctx(), MakeRequest("c", 2)).ok());
    Start();
  }
  Context& ctx() { return process_.ctx; }
  void Start() {
    snapshots_.reset();
    auto opened = Snapshots::Open(
        ctx(),
        SnapshotParts{.executor = *executor_,
                      .clock = clock_,
                      .meta = process_.meta,
                      .objects = *objects_,
                      .catalog = *process_.catalog,
                      .oracle = *process_.oracle,
                      .streaming = streaming_,
                      .copy_segment = [this](Context&, const model::SegmentInfo&,
                                             model::SegmentInfo&) { return CopySegment(); },
                      .on_restored = [this](CollectionId) { ++restored_; }},
        {});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    snapshots_ = std::move(*opened);
  }
  Status CopySegment() {
    if (while_copying_) while_copying_();
    return copying_;
  }
  void Flush(int64_t id, uint64_t at) {
    const auto info = process_.Find("c");
    ASSERT_TRUE(
        process_.catalog->CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, id)}, at)).ok());
  }
  Status Create(const std::string& name, const std::string& of = "c") {
    return snapshots_->Create(ctx(), {.collection = {.collection = of}, .name = name});
  }
  Status Drop(const std::string& name) {
    return snapshots_->Drop(ctx(), {.collection = "c"}, name);
  }
  Result<int64_t> Restore(const std::string& name, const std::string& target) {
    return snapshots_->Restore(ctx(), {.collection = "c"}, name, {.collection = target});
  }
  /// Once it is over.
  model::RestoreJob Job(int64_t id) {
    while (true) {
      const auto jobs = snapshots_->RestoreJobs(id, "");
      EXPECT_EQ(jobs.size(), 1u);
      const bool is_over =
          jobs[0].state == RestoreState::kCompleted || jobs[0].state == RestoreState::kFailed;
      if (is_over) return jobs[0];
      executor_->Yield();
    }
  }

  ManualClock clock_;
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  store::MemoryDisk disk_{executor_.get()};
  std::unique_ptr<store::ObjectStore> objects_ = disk_.OpenObjects();
  Process process_{disk_, *executor_, clock_};
  OpeningStreaming streaming_;
  Status copying_;
  std::function<void()> while_copying_;
  int restored_ = 0;
  std::unique_ptr<Snapshots> snapshots_;
};

TEST_P(SnapshotsTest, OneThatHasFlushedNothingIsOfTheMomentItsCollectionWasMade) {
  ASSERT_TRUE(Create("empty").ok());
  const auto info = process_.Find("c");
  EXPECT_EQ(snapshots_->Describe(ctx(), {.collection = "c"}, "empty")->moment, info->created);
}

TEST_P(SnapshotsTest, AreListedOfACollectionAndOfADatabase) {
  ASSERT_TRUE(process_.catalog->CreateCollection(ctx(), MakeRequest("d")).ok());
  ASSERT_TRUE(Create("z").ok());
  ASSERT_TRUE(Create("a", "d").ok());
  ASSERT_TRUE(Create("b").ok());
  EXPECT_THAT(*snapshots_->List(ctx(), {.collection = "c"}), ElementsAre("b", "z"));
  EXPECT_THAT(*snapshots_->List(ctx(), {}), ElementsAre("a", "b", "z"));
  EXPECT_THAT(*snapshots_->List(ctx(), {.database = "default"}), ElementsAre("a", "b", "z"));
  EXPECT_EQ(snapshots_->List(ctx(), {.database = "other"}).status().code(),
            ErrorCode::kDatabaseNotFound);
  EXPECT_EQ(snapshots_->List(ctx(), {.collection = "nobody"}).status().code(),
            ErrorCode::kCollectionNotFound);
  ASSERT_TRUE(process_.catalog->DropCollection(ctx(), {.collection = "d"}).ok());
  EXPECT_THAT(*snapshots_->List(ctx(), {}), ElementsAre("b", "z")) << "a's collection is gone";
}

TEST_P(SnapshotsTest, AreHeldFromTheCallThatRestoresThemToTheEndOfTheRestore) {
  Flush(7, 1);
  ASSERT_TRUE(Create("s").ok());
  int refused = 0;
  while_copying_ = [&] {
    refused += Drop("s").code() == roles::kSnapshotPinned ? 1 : 0;
    const auto keys = snapshots_->KeysInUse();
    const auto folder = fmt::format("segments/{}/7/", process_.Find("c")->id.value());
    EXPECT_THAT(keys, testing::Contains(folder));
  };
  const auto job = Restore("s", "r");
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(Job(*job).state, RestoreState::kCompleted);
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(restored_, 1);
  const auto restored = process_.Find("r");
  const auto segments = process_.catalog->ListSegments(ctx(), restored->id);
  ASSERT_EQ(segments->size(), 1u);
  EXPECT_EQ((*segments)[0].vchannel, restored->vchannels[0]);
  EXPECT_EQ((*segments)[0].partition, restored->partitions[0].id);
  EXPECT_TRUE(Drop("s").ok());
}

// Whichever comes first: the restore fails because there is no snapshot, or the drop because it is
// held; never does a restore run without its files being held.
TEST_P(SnapshotsTest, ARestoreAndADropOfTheSameOneAreOneAfterTheOther) {
  Flush(7, 1);
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(Create("s").ok());
    while_copying_ = [&] {
      EXPECT_TRUE(snapshots_->Describe(ctx(), {.collection = "c"}, "s").ok());
    };
    Result<int64_t> job = Status(ErrorCode::kInternal, "not yet");
    Status dropped;
    auto restoring =
        executor_->Spawn("restores", [&] { job = Restore("s", fmt::format("r{}", round)); });
    auto dropping = executor_->Spawn("drops", [&] { dropped = Drop("s"); });
    restoring.reset();
    dropping.reset();
    if (job.ok()) {
      EXPECT_EQ(Job(*job).state, RestoreState::kCompleted);
      EXPECT_TRUE(Drop("s").ok());
    } else {
      EXPECT_EQ(job.status().code(), roles::kSnapshotNotFound);
      EXPECT_TRUE(dropped.ok());
    }
  }
}

TEST_P(SnapshotsTest, WhatFailsIsToldAndLeavesNoCollection) {
  Flush(7, 1);
  ASSERT_TRUE(Create("s").ok());
  copying_ = Status(ErrorCode::kIoFailed, "disk on fire");
  const auto job = Restore("s", "r");
  ASSERT_TRUE(job.ok());
  EXPECT_EQ(Job(*job).state, RestoreState::kFailed);
  EXPECT_NE(Job(*job).reason.find("disk on fire"), std::string::npos);
  EXPECT_FALSE(process_.catalog->Find(ctx(), {.collection = "r"}).ok());
  EXPECT_TRUE(Drop("s").ok()) << "nothing holds it any more";
}

TEST_P(SnapshotsTest, SurviveARestartWithTheirPins) {
  Flush(7, 1);
  ASSERT_TRUE(Create("s").ok());
  const auto pin = snapshots_->Pin(ctx(), {.collection = "c"}, "s", 60);
  ASSERT_TRUE(pin.ok());
  Start();
  EXPECT_EQ(Drop("s").code(), roles::kSnapshotPinned);
  clock_.AdvanceMs(60'001);
  EXPECT_TRUE(Drop("s").ok()) << "the pin has run out";
  EXPECT_TRUE(snapshots_->List(ctx(), {.collection = "c"})->empty());
}

INSTANTIATE_TEST_SUITE_P(Orders, SnapshotsTest, testing::Range<uint64_t>(1, 6));

}  // namespace
}  // namespace elanus::coord
