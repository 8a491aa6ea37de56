// Index jobs: what is missing gets built, failures show and are tried again, the end does not wait
// for a build.
#include "coord/index_jobs.h"

#include <map>
#include <set>

#include "coord/test_meta.h"
#include "roles/testing/stand_ins.h"

namespace elanus::coord {
namespace {

/// A data node whose builds do as told.
class ScriptedData final : public roles::StandInData {
 public:
  explicit ScriptedData(Executor& executor) : executor_(executor) {}
  Result<model::SegmentIndexInfo> BuildIndex(Context& ctx, const model::SegmentInfo& segment,
                                             const model::CollectionInfo&,
                                             const model::IndexInfo& index,
                                             roles::BuildPace) override {
    ++builds;
    types[segment.id] = index.type;
    ++running;
    most_of_one = std::max(most_of_one, ++running_of[segment.collection]);
    for (int i = 0; i < 500; ++i) {
      executor_.Yield();
      most_at_once = std::max(most_at_once, running);
      if (most_at_once >= wanted_at_once) break;
    }
    --running;
    --running_of[segment.collection];
    while (endless) {
      TRY(ctx.CheckAlive());
      executor_.Yield();
    }
    if (failing.count(segment.id) > 0) return Status(ErrorCode::kIoFailed, "disk on fire");
    if (during_build) during_build();
    const std::string key = segment.rows < 5 ? "" : fmt::format("index/{}", segment.id.value());
    return model::SegmentIndexInfo{.index = index.id, .key = key};
  }

  int builds = 0;
  int wanted_at_once = 1;
  int running = 0;
  int most_at_once = 0;
  int most_of_one = 0;
  std::map<CollectionId, int> running_of;
  std::map<SegmentId, std::string> types;  // That were asked for.
  bool endless = false;
  std::set<SegmentId> failing;
  std::function<void()> during_build;

 private:
  Executor& executor_;
};

class IndexJobsTest : public testing::TestWithParam<uint64_t> {
 protected:
  IndexJobsTest() {
    EXPECT_TRUE(catalog().CreateCollection(ctx(), MakeRequest("c")).ok());
    const auto info = process_.Find("c");
    id_ = info->id;
    EXPECT_TRUE(catalog()
                    .CreateIndex(ctx(), id_, {.name = "i", .field = FieldId(101), .type = "HNSW"})
                    .ok());
    index_ = process_.Find("c")->indexes[0].id;
    EXPECT_TRUE(catalog()
                    .CommitFlush(ctx(), MakeFlush(*info,
                                                  {MakeSegment(*info, 1, 0, 10),
                                                   MakeSegment(*info, 2, 0, 20),
                                                   MakeSegment(*info, 3, 0, 4)},
                                                  1))
                    .ok());
  }
  Catalog& catalog() { return *process_.catalog; }
  Context& ctx() { return process_.ctx; }
  void Start(const IndexJobsOptions& options = {}) {
    jobs_ = std::make_unique<IndexJobs>(
        *executor_, clock_, roles::Coord{catalog(), *process_.oracle, catalog()}, data_,
        [this](CollectionId id) { ++built_[id]; }, options);
  }
  /// Lets the workers run until all of them wait: only then does a timed wait run out.
  void Settle() {
    const auto monitor = executor_->MakeMonitor();
    std::lock_guard<Monitor> lock(*monitor);
    while (monitor->WaitFor(1)) {
    }
  }
  roles::IndexProgress Progress() {
    const auto progress = jobs_->Progress(ctx(), id_, index_);
    EXPECT_TRUE(progress.ok());
    return *progress;
  }

  ManualClock clock_;
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  store::MemoryDisk disk_{executor_.get()};
  Process process_{disk_, *executor_, clock_};
  ScriptedData data_{*executor_};
  std::map<CollectionId, int> built_;
  CollectionId id_;
  IndexId index_;
  std::unique_ptr<IndexJobs> jobs_;
};

TEST_P(IndexJobsTest, BuildsWhatIsMissingOnceAndTells) {
  Start();
  Settle();
  EXPECT_EQ(data_.builds, 0);
  roles::IndexProgress progress = Progress();
  EXPECT_EQ(progress.state, model::IndexState::kInProgress);
  EXPECT_EQ(progress.total_rows, 34);
  EXPECT_EQ(progress.indexed_rows, 0);
  EXPECT_EQ(progress.pending_rows, 34);
  jobs_->Kick(id_);
  Settle();
  progress = Progress();
  EXPECT_EQ(progress.state, model::IndexState::kFinished);
  EXPECT_EQ(progress.indexed_rows, 34) << "a segment too small for a file counts as indexed";
  EXPECT_EQ(progress.pending_rows, 0);
  EXPECT_EQ(built_[id_], 3);
  EXPECT_EQ((*catalog().ListSegments(ctx(), id_))[1].indexes[0].key, "index/2");
  jobs_->Kick(id_);
  jobs_->Kick(id_);
  Settle();
  EXPECT_EQ(data_.builds, 3);
}

TEST_P(IndexJobsTest, AtTheStartEveryCollectionIsLookedAt) {
  Start();
  ASSERT_TRUE(jobs_->KickAll(ctx()).ok());
  Settle();
  EXPECT_EQ(Progress().state, model::IndexState::kFinished);
}

TEST_P(IndexJobsTest, AFailureShowsUntilAnotherKickMendsIt) {
  data_.failing = {SegmentId(1)};
  Start();
  jobs_->Kick(id_);
  Settle();
  roles::IndexProgress progress = Progress();
  EXPECT_EQ(progress.state, model::IndexState::kFailed) << "later segments do not hide it";
  EXPECT_EQ(progress.fail_reason, "disk on fire: IO failed");
  EXPECT_EQ(progress.indexed_rows, 24);
  EXPECT_EQ(progress.pending_rows, 10);
  data_.failing.clear();
  jobs_->Kick(id_);
  Settle();
  progress = Progress();
  EXPECT_EQ(progress.state, model::IndexState::kFinished);
  EXPECT_EQ(progress.fail_reason, "");
  EXPECT_EQ(data_.builds, 4);
}

TEST_P(IndexJobsTest, AutoIndexIsChosenForEachSegmentAndTold) {
  ASSERT_TRUE(catalog().DropIndex(ctx(), id_, "i").ok());
  ASSERT_TRUE(
      catalog()
          .CreateIndex(ctx(), id_,
                       {.name = "a",
                        .field = FieldId(101),
                        .type = "HNSW_SQ",
                        .metric = "L2",
                        .user_params = {{"index_type", "AUTOINDEX"}, {"metric_type", "L2"}}})
          .ok());
  index_ = process_.Find("c")->indexes[0].id;
  Start({.auto_index_memory_mb = 1});
  EXPECT_TRUE(Progress().chosen.empty());
  jobs_->Kick(id_);
  Settle();
  EXPECT_EQ(data_.types[SegmentId(1)], "HNSW_SQ");
  const auto info = process_.Find("c");
  ASSERT_TRUE(catalog()
                  .CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 4, 0, 2'000'000)}, 2))
                  .ok());
  jobs_->Kick(id_);
  Settle();
  EXPECT_EQ(data_.builds, 4) << "what is built stays";
  EXPECT_EQ(data_.types[SegmentId(4)], "AISAQ") << "no codes of so many rows fit a megabyte";
  const auto chosen = Progress().chosen;
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].type, "HNSW_SQ");
  EXPECT_EQ(chosen[0].segments, 2) << "a segment too small for a file has none";
  EXPECT_FALSE(chosen[0].build_params.empty());
  EXPECT_EQ(chosen[1].type, "AISAQ");
  EXPECT_EQ(chosen[1].segments, 1);
}

TEST_P(IndexJobsTest, ACommitThatFailsIsAFailureToo) {
  process_.meta.refusing = true;
  Start();
  jobs_->Kick(id_);
  Settle();
  EXPECT_EQ(Progress().state, model::IndexState::kFailed);
  EXPECT_EQ(built_[id_], 0);
  process_.meta.refusing = false;
}

TEST_P(IndexJobsTest, TheEndDoesNotWaitForABuild) {
  data_.endless = true;
  Start();
  jobs_->Kick(id_);
  for (int i = 0; i < 50 && data_.builds == 0; ++i) executor_->Yield();
  ASSERT_EQ(data_.builds, 1);
  EXPECT_EQ(Progress().state, model::IndexState::kInProgress);
  jobs_.reset();
  EXPECT_EQ(data_.builds, 1);
  EXPECT_EQ(built_[id_], 0);
  EXPECT_TRUE((*catalog().ListSegments(ctx(), id_))[0].indexes.empty());
}

TEST_P(IndexJobsTest, ACollectionDroppedDuringABuildIsForgotten) {
  data_.during_build = [&] {
    EXPECT_TRUE(catalog().DropCollection(ctx(), {.collection = "c"}).ok());
  };
  Start();
  jobs_->Kick(id_);
  jobs_->Kick(CollectionId(12345));
  Settle();
  EXPECT_EQ(data_.builds, 1);
  EXPECT_EQ(jobs_->Progress(ctx(), id_, index_).status().code(), ErrorCode::kCollectionNotFound);
}

TEST_P(IndexJobsTest, AnIndexDroppedDuringABuildLeavesNothing) {
  data_.during_build = [&] { EXPECT_TRUE(catalog().DropIndex(ctx(), id_, "i").ok()); };
  Start();
  jobs_->Kick(id_);
  Settle();
  EXPECT_EQ(data_.builds, 1);
  const auto segments = catalog().ListSegments(ctx(), id_);
  for (const auto& segment : *segments) {
    EXPECT_TRUE(segment.indexes.empty());
  }
}

TEST_P(IndexJobsTest, SeveralCollectionsAreServedAtOnceEachByOneWorker) {
  ASSERT_TRUE(catalog().CreateCollection(ctx(), MakeRequest("d")).ok());
  const auto info = process_.Find("d");
  ASSERT_TRUE(
      catalog()
          .CreateIndex(ctx(), info->id, {.name = "i", .field = FieldId(101), .type = "HNSW"})
          .ok());
  ASSERT_TRUE(
      catalog().CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 9, 0, 10)}, 1)).ok());
  data_.wanted_at_once = 2;
  Start({.builds_max = 3});
  ASSERT_TRUE(jobs_->KickAll(ctx()).ok());
  jobs_->Kick(id_);
  Settle();
  EXPECT_EQ(data_.most_at_once, 2);
  EXPECT_EQ(data_.most_of_one, 1);
  EXPECT_EQ(data_.builds, 4) << "none twice";
}

INSTANTIATE_TEST_SUITE_P(Seeds, IndexJobsTest, testing::Range<uint64_t>(1, 6));

}  // namespace
}  // namespace elanus::coord
