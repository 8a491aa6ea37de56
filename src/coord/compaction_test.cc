// Compaction jobs: what is asked for is done once and told, the rest comes by the clock, the end
// does not wait.
#include "coord/compaction.h"

#include <map>
#include <set>

#include "coord/test_meta.h"
#include "roles/testing/stand_ins.h"

namespace elanus::coord {
namespace {

/// A data node that compacts as told.
class ScriptedData final : public roles::StandInData {
 public:
  explicit ScriptedData(Executor& executor) : executor_(executor) {}
  Result<model::SegmentIndexInfo> BuildIndex(Context&, const model::SegmentInfo& segment,
                                             const model::CollectionInfo&,
                                             const model::IndexInfo& index,
                                             roles::BuildPace) override {
    return model::SegmentIndexInfo{.index = index.id,
                                   .key = fmt::format("index/{}", segment.id.value())};
  }
  Result<roles::CompactionResult> Compact(Context& ctx, const roles::CompactionTask& task,
                                          const model::CollectionInfo&) override {
    ++compactions;
    executor_.Yield();
    if (during) during();
    while (endless) {
      TRY(ctx.CheckAlive());
      executor_.Yield();
    }
    if (failing) return Status(ErrorCode::kIoFailed, "disk on fire");
    roles::CompactionResult result;
    if (unchanged) {
      result.is_unchanged = true;
      return result;
    }
    model::SegmentInfo output = task.inputs[0];
    output.id = task.output;
    output.rows = output.bytes = output.deleted_rows = 0;
    output.indexes.clear();
    output.deletes_applied = output.deletes_counted = task.deletes_until;
    output.deleted_rows = result.rows_hidden = keeps_hidden;
    if (task.is_clustering) output.clustered_by = task.sort_by;
    for (const model::SegmentInfo& input : task.inputs) {
      output.rows += keeps_hidden > 0 ? input.rows : input.rows - input.deleted_rows;
      output.bytes += input.bytes;
    }
    if (output.rows > 0) result.output = output;
    return result;
  }
  Result<int64_t> CountExpired(Context&, const model::SegmentInfo& segment, FieldId,
                               int64_t) override {
    return expired.count(segment.id) > 0 ? expired.at(segment.id) : 0;
  }
  Result<roles::MergeDeletesResult> MergeDeletes(Context&, const roles::MergeDeletesTask& task,
                                                 const model::CollectionInfo&) override {
    ++delete_merges;
    roles::MergeDeletesResult result;
    result.deleted_rows.assign(task.segments.size(), hidden);
    if (hidden > 0) {
      result.delta = task.deltas[0];
      result.delta->key = "merged";
    }
    return result;
  }

  std::map<SegmentId, int64_t> expired;  // Rows by the field that says until when they live.
  int compactions = 0;
  int delete_merges = 0;
  bool endless = false;
  bool failing = false;
  bool unchanged = false;
  int64_t hidden = 0;
  int64_t keeps_hidden = 0;  // Rows, for readers of the past.
  std::function<void()> during;

 private:
  Executor& executor_;
};

class CompactionTest : public testing::TestWithParam<uint64_t> {
 protected:
  CompactionTest() {
    model::CreateCollectionRequest request = MakeRequest("c");
    request.schema.fields.push_back({.name = "kind",
                                     .type = model::DataType::kInt64,
                                     .nullable = true,
                                     .is_clustering_key = true});
    request.schema.fields.push_back(
        {.name = "until", .type = model::DataType::kTimestamptz, .nullable = true});
    EXPECT_TRUE(catalog().CreateCollection(ctx(), request).ok());
    id_ = process_.Find("c")->id;
    EXPECT_TRUE(catalog()
                    .CreateIndex(ctx(), id_, {.name = "i", .field = FieldId(101), .type = "HNSW"})
                    .ok());
  }
  Catalog& catalog() { return *process_.catalog; }
  Context& ctx() { return process_.ctx; }
  void Start(CompactionOptions options = {}) {
    jobs_ = std::make_unique<Compactor>(
        *executor_, clock_, roles::Coord{catalog(), *process_.oracle, catalog()}, data_, options,
        CompactionHooks{
            .on_done = [this](CollectionId id) { ++done_[id]; },
            .is_protected = is_protected_,
        });
  }
  /// One segment of a flush of its own, indexed.
  void AddSegment(int64_t id, int64_t mb = 1, int64_t deleted_rows = 0,
                  std::vector<model::DeltaInfo> deltas = {}) {
    const auto info = process_.Find("c");
    model::SegmentInfo segment = MakeSegment(*info, id);
    segment.bytes = mb << 20;
    segment.deleted_rows = deleted_rows;
    segment.indexes = {{.index = info->indexes[0].id, .key = "x"}};
    auto flush = MakeFlush(*info, {segment}, ++position_);
    flush.deltas = std::move(deltas);
    ASSERT_TRUE(catalog().CommitFlush(ctx(), flush).ok());
  }
  model::DeltaInfo Delta(const std::string& key, int64_t rows) {
    return {.key = key,
            .collection = id_,
            .vchannel = process_.Find("c")->vchannels[0],
            .rows = rows,
            .newest = Timestamp(5)};
  }
  std::vector<model::SegmentInfo> Segments() { return *catalog().ListSegments(ctx(), id_); }
  roles::CompactionTicket Compact(roles::CompactionRequest request = {}) {
    request.collection = id_;
    const auto ticket = jobs_->Compact(ctx(), request);
    EXPECT_TRUE(ticket.ok()) << ticket.status().ToString();
    return ticket.ok() ? *ticket : roles::CompactionTicket();
  }
  roles::CompactionState State(const roles::CompactionTicket& ticket) {
    return *jobs_->State(ctx(), ticket.id);
  }
  /// Lets the workers run until all of them wait: only then does a timed wait run out.
  void Settle() {
    const auto monitor = executor_->MakeMonitor();
    for (int i = 0; i < 30; ++i) {
      std::lock_guard<Monitor> lock(*monitor);
      while (monitor->WaitFor(1)) {
      }
    }
  }
  void TimePasses(int64_t s) {
    clock_.AdvanceMs(s * 1000);
    Settle();
  }

  ManualClock clock_;
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(GetParam());
  store::MemoryDisk disk_{executor_.get()};
  Process process_{disk_, *executor_, clock_};
  ScriptedData data_{*executor_};
  std::map<CollectionId, int> done_;
  CollectionId id_;
  uint64_t position_ = 0;
  std::function<bool(SegmentId)> is_protected_;
  std::unique_ptr<Compactor> jobs_;
};

TEST_P(CompactionTest, WhatIsAskedForIsDoneWithItsIndexesAndTold) {
  Start();
  EXPECT_EQ(Compact().id, -1) << "nothing there";
  for (int64_t id = 1; id <= 3; ++id) AddSegment(id);
  const auto ticket = Compact();
  EXPECT_GT(ticket.id, 0);
  EXPECT_EQ(ticket.plans, 1);
  Settle();
  const auto state = State(ticket);
  EXPECT_EQ(state.executing, 0);
  EXPECT_EQ(state.completed, 1);
  EXPECT_EQ(state.failed, 0);
  ASSERT_EQ(state.merges.size(), 1u);
  EXPECT_EQ(state.merges[0].sources,
            (std::vector<SegmentId>{SegmentId(1), SegmentId(2), SegmentId(3)}));
  const auto segments = Segments();
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(state.merges[0].target, segments[0].id);
  EXPECT_EQ(segments[0].rows, 30);
  ASSERT_EQ(segments[0].indexes.size(), 1u);
  EXPECT_EQ(segments[0].indexes[0].key, fmt::format("index/{}", segments[0].id.value()));
  EXPECT_EQ(done_[id_], 1);
  EXPECT_EQ(Compact().id, -1);
  EXPECT_EQ(State({.id = 12345}).executing, 0) << "nobody's ticket";
}

TEST_P(CompactionTest, WhatFailsIsToldAndLeavesTheInputs) {
  Start();
  AddSegment(1);
  AddSegment(2);
  data_.failing = true;
  const auto ticket = Compact();
  Settle();
  EXPECT_EQ(State(ticket).failed, 1);
  EXPECT_NE(State(ticket).merges[0].failure.find("disk on fire"), std::string::npos);
  EXPECT_EQ(Segments().size(), 2u);
  EXPECT_EQ(done_[id_], 0);
  data_.failing = false;
  process_.meta.refusing = true;
  const auto refused = Compact();
  Settle();
  process_.meta.refusing = false;
  EXPECT_EQ(Segments().size(), 2u) << "the commit failed";
  EXPECT_EQ(State(refused).completed, 0);
  Compact();
  Settle();
  EXPECT_EQ(Segments().size(), 1u);
}

TEST_P(CompactionTest, WhatIsAskedForTwiceIsDoneOnceAndToldTwice) {
  Start();
  AddSegment(1);
  AddSegment(2);
  const auto first = Compact();
  const auto second = Compact();
  EXPECT_EQ(second.plans, 1);
  Settle();
  EXPECT_EQ(data_.compactions, 1);
  EXPECT_EQ(State(first).completed, 1);
  EXPECT_EQ(State(second).completed, 1);
}

TEST_P(CompactionTest, ASegmentThatLosesNoRowIsOnlyMarked) {
  Start();
  AddSegment(1, 900);
  AddSegment(2, 900, 0, {Delta("d", 3)});
  data_.unchanged = true;
  const auto ticket = Compact();
  EXPECT_EQ(ticket.plans, 2);
  Settle();
  EXPECT_EQ(State(ticket).completed, 2);
  EXPECT_EQ(State(ticket).merges[0].target, SegmentId(-1));
  ASSERT_EQ(Segments().size(), 2u);
  EXPECT_TRUE(catalog().ListDeltas(ctx(), process_.Find("c")->vchannels[0])->empty());
}

TEST_P(CompactionTest, SegmentsWithoutALivingRowJustGo) {
  Start();
  AddSegment(1, 1, 10);
  const auto ticket = Compact();
  Settle();
  EXPECT_EQ(State(ticket).completed, 1);
  EXPECT_TRUE(Segments().empty());
}

TEST_P(CompactionTest, DeltaLogsAreCountedOnRequestAndByTheClock) {
  Start();
  AddSegment(1, 900);
  AddSegment(2, 900, 0, {Delta("d", 1)});
  data_.hidden = 1;
  const auto ticket = Compact({.deletes_only = true});
  EXPECT_EQ(ticket.plans, 1);
  Settle();
  EXPECT_EQ(State(ticket).completed, 1);
  EXPECT_EQ(Segments()[0].deleted_rows, 1);
  EXPECT_EQ(catalog().ListDeltas(ctx(), process_.Find("c")->vchannels[0])->at(0).key, "merged");
  TimePasses(11);
  EXPECT_EQ(data_.delete_merges, 1) << "counted already, and few";
  auto many = Delta("e", 100);
  many.newest = Timestamp(25);
  AddSegment(3, 900, 0, {many});
  TimePasses(11);
  EXPECT_EQ(data_.delete_merges, 2);
  TimePasses(11);
  EXPECT_EQ(data_.delete_merges, 2);
}

TEST_P(CompactionTest, TheRestComesByTheClock) {
  Start();
  for (int64_t id = 1; id <= 3; ++id) AddSegment(id);
  TimePasses(59);
  EXPECT_EQ(Segments().size(), 3u);
  TimePasses(1);
  EXPECT_EQ(Segments().size(), 1u);
  for (int64_t id = 4; id <= 6; ++id) AddSegment(id);
  ASSERT_TRUE(catalog()
                  .AlterProperties(ctx(), id_, {{"collection.autocompaction.enabled", "False"}}, {})
                  .ok());
  TimePasses(60);
  EXPECT_EQ(Segments().size(), 4u) << "not of this collection";
  ASSERT_TRUE(
      catalog().AlterProperties(ctx(), id_, {}, {"collection.autocompaction.enabled"}).ok());
  TimePasses(60);
  EXPECT_EQ(Segments().size(), 1u);
}

TEST_P(CompactionTest, ItCanBeSwitchedOff) {
  Start({.automatic = false});
  for (int64_t id = 1; id <= 3; ++id) AddSegment(id);
  TimePasses(60);
  EXPECT_EQ(Segments().size(), 3u);
  Compact();
  Settle();
  EXPECT_EQ(Segments().size(), 1u);
  jobs_.reset();
  Start({.enabled = false});
  EXPECT_EQ(jobs_->Compact(ctx(), {.collection = id_}).status().code(),
            ErrorCode::kServiceUnavailable);
  EXPECT_EQ(jobs_->Compact(ctx(), {.collection = CollectionId(7)}).status().code(),
            ErrorCode::kServiceUnavailable);
}

TEST_P(CompactionTest, AutomaticOnesRestAndWhatIsAskedForDoesNotWait) {
  Start({.throughput_mb_max = 1});
  AddSegment(1, 900, 5);
  AddSegment(2, 900, 5);
  AddSegment(3, 900, 5);
  TimePasses(60);
  EXPECT_EQ(data_.compactions, 1) << "900 MB at 1 MB/s";
  TimePasses(800);
  EXPECT_EQ(data_.compactions, 1);
  Compact();
  Settle();
  EXPECT_EQ(data_.compactions, 2);
  AddSegment(4, 900, 5);
  TimePasses(200);
  EXPECT_EQ(data_.compactions, 3) << "rested";
}

TEST_P(CompactionTest, WhatSnapshotsProtectIsToldWhenItIsAskedFor) {
  std::set<SegmentId> kept = {SegmentId(1), SegmentId(2)};
  is_protected_ = [&](SegmentId id) { return kept.count(id) > 0; };
  Start();
  AddSegment(1);
  AddSegment(2);
  EXPECT_EQ(jobs_->Compact(ctx(), {.collection = id_}).status().code(), roles::kCompactionBlocked);
  AddSegment(3);
  AddSegment(4);
  EXPECT_EQ(Compact().plans, 1) << "the others are compacted";
  Settle();
  EXPECT_EQ(Segments().size(), 3u);
  EXPECT_EQ(jobs_->Compact(ctx(), {.collection = id_, .segments = {SegmentId(1), Segments()[2].id}})
                .status()
                .code(),
            roles::kCompactionBlocked)
      << "asked for by name";
  kept.clear();
  Compact();
  Settle();
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_EQ(Compact().id, -1);
}

TEST_P(CompactionTest, SegmentsWithRowsForReadersOfThePastRest) {
  Start({.retention_s = 1000});
  data_.keeps_hidden = 4;
  AddSegment(1, 900, 4);
  TimePasses(60);
  ASSERT_EQ(data_.compactions, 1);
  EXPECT_EQ(Segments()[0].deleted_rows, 4) << "none could go";
  TimePasses(60);
  TimePasses(60);
  EXPECT_EQ(data_.compactions, 1) << "not again and again";
  data_.keeps_hidden = 0;
  TimePasses(500);
  EXPECT_EQ(data_.compactions, 2);
  EXPECT_EQ(Segments()[0].deleted_rows, 0);
}

TEST_P(CompactionTest, SegmentsAreRewrittenForRowsThatAFieldLetsExpire) {
  Start();
  ASSERT_TRUE(catalog().AlterProperties(ctx(), id_, {{"ttl_field", "until"}}, {}).ok());
  AddSegment(1, 900);
  TimePasses(60);
  EXPECT_EQ(data_.compactions, 0);
  data_.expired[SegmentId(1)] = 3;
  TimePasses(60);
  EXPECT_EQ(data_.compactions, 1);
}

TEST_P(CompactionTest, PartitionsAreClusteredByTheClock) {
  Start({.clustering_automatic = true, .clustering_bytes_min = 2 << 20});
  AddSegment(1, 900);
  AddSegment(2, 900);
  TimePasses(599);
  EXPECT_EQ(data_.compactions, 0);
  TimePasses(1);
  EXPECT_EQ(data_.compactions, 1);
  const auto segments = Segments();
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].clustered_by, process_.Find("c")->schema.FindField("kind")->id);
  EXPECT_EQ(segments[0].clustered_at, MakeTimestamp(clock_.NowMs()));
  TimePasses(600);
  EXPECT_EQ(data_.compactions, 1) << "nothing is new";
}

TEST_P(CompactionTest, WhatIsWrittenIsInUseUntilItIsOfficial) {
  Start();
  AddSegment(1);
  AddSegment(2);
  std::vector<std::string> seen;
  data_.during = [&] { seen = jobs_->FoldersInUse(); };
  Compact();
  Settle();
  const std::string tail = fmt::format("/{}/{}/", id_.value(), Segments()[0].id.value());
  EXPECT_EQ(seen, (std::vector<std::string>{"segments" + tail, "indexes" + tail}));
  EXPECT_TRUE(jobs_->FoldersInUse().empty());
}

TEST_P(CompactionTest, ACollectionDroppedMeanwhileStaysDropped) {
  Start();
  AddSegment(1);
  AddSegment(2);
  data_.during = [&] {
    ASSERT_TRUE(catalog().DropCollection(ctx(), {.database = "", .collection = "c"}).ok());
  };
  const auto ticket = Compact();
  Settle();
  EXPECT_EQ(State(ticket).failed, 1);
  EXPECT_FALSE(catalog().ListSegments(ctx(), id_).ok());
}

TEST_P(CompactionTest, TicketsAreForgottenAfterAWhile) {
  Start({.ticket_s_max = 100});
  AddSegment(1);
  AddSegment(2);
  const auto ticket = Compact();
  Settle();
  EXPECT_EQ(State(ticket).completed, 1);
  TimePasses(99);
  EXPECT_EQ(State(ticket).completed, 1);
  TimePasses(2);
  EXPECT_EQ(State(ticket).completed, 0);
}

TEST_P(CompactionTest, TheEndDoesNotWaitForACompaction) {
  Start();
  AddSegment(1);
  AddSegment(2);
  data_.endless = true;
  Compact();
  for (int i = 0; i < 100 && data_.compactions == 0; ++i) executor_->Yield();
  jobs_.reset();
  EXPECT_EQ(Segments().size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CompactionTest, testing::Range<uint64_t>(0, 5));

}  // namespace
}  // namespace elanus::coord
