// One channel's state, with a query node that only takes notes: what readers see as records, seals,
// swaps and new versions of the collection come.
#include "shard/shard.h"

#include <gtest/gtest.h>

#include <set>

#include "roles/testing/stand_ins.h"
#include "shard/read.h"

namespace elanus::shard {
namespace {

using model::Column;
using model::DataType;

constexpr PartitionId kP1{11};
constexpr PartitionId kP2{12};

Column KeyColumn(const std::vector<int64_t>& keys) {
  Column column = model::MakeColumn(FieldId(100), "id", DataType::kInt64, DataType::kNone, 0);
  for (int64_t key : keys) column.AppendFixed(&key);
  return column;
}

/// Keeps the deletes that it was asked to apply; answers reads with one key a segment.
class NotingQuery final : public roles::StandInQuery {
 public:
  struct Note {
    std::vector<SegmentId> segments;
    model::Deletes deletes;
  };
  Status ApplyDeletes(Context&, const std::vector<SegmentId>& segments,
                      const model::Deletes& deletes) override {
    if (failing) return Status(ErrorCode::kIoFailed, "not now");
    notes.push_back({segments, deletes});
    return {};
  }
  Result<model::PartialHits> Search(Context&, const std::vector<SegmentId>& segments,
                                    const model::ShardSearch&) override {
    searched.push_back(segments);
    for (SegmentId id : segments) {
      if (gone.count(id) > 0) return Status(ErrorCode::kSegmentNotFound, "it has left");
    }
    return model::PartialHits();
  }
  Result<model::PartialRows> Retrieve(Context&, const std::vector<SegmentId>& segments,
                                      const model::ShardQuery& query) override {
    ++reads;
    read_at = query.read.read_at;
    if (during_read) during_read();
    model::PartialRows rows;
    rows.primary_keys = KeyColumn({});
    for (SegmentId id : segments) {
      if (gone.count(id) > 0) return Status(ErrorCode::kSegmentNotFound, "it has left");
      const int64_t key = id.value();
      rows.primary_keys.AppendFixed(&key);
      rows.row_timestamps.push_back(1);
    }
    return rows;
  }

  std::vector<Note> notes;
  bool failing = false;
  int reads = 0;
  Timestamp read_at;
  std::set<SegmentId> gone;
  std::vector<std::vector<SegmentId>> searched;
  std::function<void()> during_read;
};

class ShardTest : public testing::Test {
 protected:
  static std::shared_ptr<model::CollectionInfo> Info(const std::vector<PartitionId>& partitions) {
    auto info = std::make_shared<model::CollectionInfo>();
    info->id = CollectionId(3);
    info->schema.name = "c";
    info->schema.fields.push_back(
        {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true});
    for (PartitionId id : partitions) info->partitions.push_back({.id = id});
    info->loaded = true;
    return info;
  }
  Status Apply(model::ShardWrite write) {
    const uint64_t position = ++position_;
    return shard_.Apply(ctx_, write, Timestamp(10 * position), position,
                        SegmentId(static_cast<int64_t>(1000 + position)));
  }
  void Insert(PartitionId partition, const std::vector<int64_t>& keys) {
    ASSERT_TRUE(Apply({.partition = partition, .columns = {KeyColumn(keys)}}).ok());
  }
  void Delete(PartitionId partition, const std::vector<int64_t>& keys) {
    ASSERT_TRUE(Apply({.partition = partition, .delete_keys = KeyColumn(keys)}).ok());
  }
  Result<std::vector<int64_t>> Read(PartitionId partition = {}, Timestamp read_at = {}) {
    model::ShardQuery query;
    query.read.filter = "id >= 0";
    query.read.guarantee = kTimestampMax;
    query.read.read_at = read_at == Timestamp() ? kTimestampMax : read_at;
    if (partition != PartitionId()) query.read.partitions = {partition};
    TRY_ASSIGN(const auto rows, Query(ctx_, shard_, query_, std::move(query)));
    std::vector<int64_t> keys;
    for (size_t i = 0; i < rows.primary_keys.rows; ++i) {
      keys.push_back(rows.primary_keys.view().Get<int64_t>(i));
    }
    return keys;
  }
  void ExpectKeys(const std::vector<int64_t>& want, PartitionId partition = {},
                  Timestamp read_at = {}) {
    const auto keys = Read(partition, read_at);
    ASSERT_TRUE(keys.ok()) << keys.status().ToString();
    EXPECT_EQ(*keys, want);
  }
  void Show(std::vector<SegmentId> segments, const std::vector<SegmentId>& instead_of = {}) {
    const Status shown = shard_.Swap(ctx_, std::move(segments), instead_of, /*readable=*/true);
    ASSERT_TRUE(shown.ok()) << shown.ToString();
  }
  static std::vector<SegmentId> IdsOf(const FlushWork& work) {
    std::vector<SegmentId> ids;
    for (const auto& segment : work.segments) ids.push_back(segment->id());
    return ids;
  }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeSimExecutor(1);
  NotingQuery query_;
  Shard shard_{*executor_, query_, "s_3v0", Info({kP1, kP2}), {.position = 0}};
  uint64_t position_ = 0;
};

TEST_F(ShardTest, IsReadOnlyOnceItIsLoaded) {
  Insert(kP1, {1});
  EXPECT_EQ(Read().status().code(), ErrorCode::kCollectionNotFullyLoaded);
  Show({});
  ExpectKeys({1});
  auto released = Info({kP1, kP2});
  released->loaded = false;
  shard_.SetCollection(released);
  EXPECT_EQ(Read().status().code(), ErrorCode::kCollectionNotLoaded);
}

TEST_F(ShardTest, ReadsTheLoadedPartitionsOrThoseThatAreNamed) {
  Insert(kP1, {1});
  Insert(kP2, {2});
  Show({});
  ExpectKeys({1, 2});
  ExpectKeys({2}, kP2);
  auto one = Info({kP1, kP2});
  one->loaded_partitions = {kP1};
  shard_.SetCollection(one);
  ExpectKeys({1});
}

TEST_F(ShardTest, SearchesFreshRowsThroughListsUnlessTheirIndexIsExact) {
  constexpr FieldId kVector{101};
  constexpr int64_t kRows = 4'000;
  segment::GrowingIndexer indexer(*executor_, clock_, {.lists = 16, .probes = 2});
  std::vector<int64_t> keys;
  Column vectors =
      model::MakeColumn(kVector, "vector", DataType::kFloatVector, DataType::kNone, /*dim=*/2);
  for (int64_t key = 0; key < kRows; ++key) {
    keys.push_back(key);
    const float vector[] = {static_cast<float>(key % 61), static_cast<float>(key % 67)};
    vectors.AppendFixed(vector);
  }
  for (const std::string type : {"HNSW", "FLAT"}) {
    auto info = Info({kP1});
    info->schema.fields.push_back({.id = kVector,
                                   .name = "vector",
                                   .type = DataType::kFloatVector,
                                   .type_params = {{"dim", "2"}}});
    info->indexes.push_back({.id = IndexId(9), .field = kVector, .type = type, .metric = "L2"});
    Shard shard(*executor_, query_, "s_3v0", info, {.position = 0}, &indexer);
    const model::ShardWrite write{.partition = kP1, .columns = {KeyColumn(keys), vectors}};
    ASSERT_TRUE(shard.Apply(ctx_, write, Timestamp(10), /*position=*/1, SegmentId(1)).ok());
    const auto view = shard.Read()->fresh[0]->Snapshot();
    size_t listed = 0;
    for (int turn = 0; turn < 100 && listed == 0; ++turn) {
      uint32_t row = 0;
      float score = 0;
      const index::SearchRequest request{
          .queries = index::BlockOf(vectors.view()).Slice(7, 1), .k = 1, .params = {}};
      const auto answered = view->SearchLists(ctx_, kVector, model::Metric::kL2, {}, request,
                                              {.rows = &row, .scores = &score});
      ASSERT_TRUE(answered.ok());
      listed = *answered;
      if (listed > 0) {
        EXPECT_EQ(row, 7u);
        EXPECT_EQ(score, 0.0f);
      }
      executor_->Yield();
    }
    EXPECT_EQ(listed, type == "FLAT" ? 0u : kRows / 64 * 64u) << type;
  }
}

TEST_F(ShardTest, ADeleteOfAPartitionLeavesTheOthersAlone) {
  for (PartitionId partition : {kP1, kP2}) Insert(partition, {1, 2, 3});
  Show({});
  Delete(kP2, {1});
  ExpectKeys({1, 2, 3}, kP1);
  ExpectKeys({2, 3}, kP2);
  const auto work = shard_.Seal(Timestamp(1000));  // The same for full segments.
  Delete(kP1, {2});
  ExpectKeys({1, 3}, kP1);
  ExpectKeys({2, 3}, kP2);
  Delete(PartitionId(), {3});
  ExpectKeys({1}, kP1);
  ExpectKeys({2}, kP2);
}

TEST_F(ShardTest, AnUpsertIsSeenWholeAndOnlyInItsPartition) {
  for (PartitionId partition : {kP1, kP2}) Insert(partition, {1});  // At 10 and 20.
  ASSERT_TRUE(Apply({.partition = kP1,                              // At 30.
                     .columns = {KeyColumn({1, 4})},
                     .delete_keys = KeyColumn({1, 4})})
                  .ok());
  Show({});
  ExpectKeys({1}, kP1, Timestamp(29));
  ExpectKeys({1, 4}, kP1, Timestamp(30));
  ExpectKeys({1}, kP2);
  EXPECT_EQ(shard_.FreshRows(kP1), 3);
}

TEST_F(ShardTest, LoadedSegmentsHearOfADeleteWithMomentAndPartition) {
  Show({SegmentId(1), SegmentId(2)});
  Delete(kP2, {7, 8});
  ASSERT_EQ(query_.notes.size(), 1u);
  const auto& note = query_.notes[0];
  EXPECT_EQ(note.segments, (std::vector<SegmentId>{SegmentId(1), SegmentId(2)}));
  EXPECT_EQ(note.deletes.timestamps, (std::vector<uint64_t>{10, 10}));
  EXPECT_EQ(note.deletes.partitions, (std::vector<PartitionId>{kP2, kP2}));
  EXPECT_EQ(note.deletes.keys.data, KeyColumn({7, 8}).data);
}

TEST_F(ShardTest, ASegmentThatIsSwappedInKnowsEveryDeleteThatNoFlushHasCommitted) {
  Delete(kP1, {1});
  const auto work = shard_.Seal(Timestamp(1000));
  Delete(kP2, {2});
  EXPECT_TRUE(query_.notes.empty());
  Show({SegmentId(5)});
  ASSERT_EQ(query_.notes.size(), 2u);
  EXPECT_EQ(query_.notes[0].deletes.partitions, std::vector<PartitionId>{kP1});
  EXPECT_EQ(query_.notes[1].deletes.partitions, std::vector<PartitionId>{kP2});
  shard_.FinishFlush(*work);  // From now on the first is in a delta log.
  query_.notes.clear();
  Show({SegmentId(5), SegmentId(6)});
  ASSERT_EQ(query_.notes.size(), 1u);
  EXPECT_EQ(query_.notes[0].deletes.partitions, std::vector<PartitionId>{kP2});
}

TEST_F(ShardTest, ASwapWhoseDeletesFailShowsNothingNew) {
  Delete(kP1, {1});
  query_.failing = true;
  EXPECT_FALSE(shard_.Swap(ctx_, {SegmentId(5)}, {}, /*readable=*/true).ok());
  EXPECT_TRUE(shard_.Read()->loaded.empty());
  EXPECT_FALSE(shard_.Read()->readable);
}

TEST_F(ShardTest, ASealHandsOverEverythingAndStaysReadableUntilTheSwap) {
  Insert(kP1, {1});
  Insert(kP2, {2});
  Delete(kP1, {9});
  Show({});
  EXPECT_GT(shard_.growing_bytes(), 0u);
  EXPECT_EQ(shard_.oldest_growing(), Timestamp(10));
  const auto work = shard_.Seal(Timestamp(1000));
  ASSERT_NE(work, nullptr);
  EXPECT_EQ(IdsOf(*work), (std::vector<SegmentId>{SegmentId(1001), SegmentId(1002)}));
  EXPECT_EQ(work->deletes.keys.rows, 1u);
  EXPECT_EQ(work->checkpoint, 3u);
  EXPECT_EQ(work->checkpoint_ts, Timestamp(1000));
  EXPECT_GT(work->bytes, 0u);
  EXPECT_EQ(shard_.growing_bytes(), 0u);
  EXPECT_EQ(shard_.oldest_growing(), Timestamp());
  EXPECT_EQ(shard_.Seal(Timestamp(1001)), nullptr);
  ExpectKeys({1, 2});
  Show({SegmentId(51), SegmentId(52)}, IdsOf(*work));
  ExpectKeys({51, 52});
}

TEST_F(ShardTest, ASegmentThatALoadShowsBeforeItsFlushHasEndedIsReadOnce) {
  Insert(kP1, {1001});
  const auto work = shard_.Seal(Timestamp(1000));
  ASSERT_EQ(IdsOf(*work), std::vector<SegmentId>{SegmentId(1001)});
  Show({SegmentId(1001)});
  EXPECT_TRUE(shard_.Read()->fresh.empty());
  ExpectKeys({1001});
}

TEST_F(ShardTest, IsFlushedOnceNothingLaterWasApplied) {
  EXPECT_EQ(shard_.flushed_ts(), kTimestampMax);
  Insert(kP1, {1});
  EXPECT_EQ(shard_.flushed_ts(), Timestamp());
  const auto first = shard_.Seal(Timestamp(1000));
  Insert(kP1, {2});
  shard_.FinishFlush(*first);
  EXPECT_TRUE(shard_.HasUnflushed());
  EXPECT_EQ(shard_.flushed_ts(), Timestamp(1000));
  EXPECT_EQ(shard_.checkpoint().position, 1u);
  const auto second = shard_.Seal(Timestamp(2000));
  shard_.FinishFlush(*second);
  EXPECT_FALSE(shard_.HasUnflushed());
  EXPECT_EQ(shard_.flushed_ts(), kTimestampMax);
}

TEST_F(ShardTest, ADroppedPartitionTakesItsRowsAlongAlsoWhenItWasNeverKnown) {
  constexpr PartitionId kLater{13};  // Younger than the shard's version of the collection.
  Insert(kLater, {1});
  const auto work = shard_.Seal(Timestamp(1000));
  Insert(kLater, {2});
  Insert(kP1, {3});
  Show({});
  ExpectKeys({1, 2, 3});
  shard_.SetCollection(Info({kP1, kP2}));
  ExpectKeys({3});
  EXPECT_EQ(shard_.FreshRows(PartitionId()), 1);
  EXPECT_EQ(shard_.oldest_growing(), Timestamp(30));
}

TEST_F(ShardTest, TheCheckpointPassesRecordsThatLeftNothingBehind) {
  Insert(kP2, {1});
  shard_.SetCollection(Info({kP1}));
  EXPECT_EQ(shard_.growing_bytes(), 0u);
  EXPECT_EQ(shard_.oldest_growing(), Timestamp());
  EXPECT_TRUE(shard_.HasUnflushed());
  const auto work = shard_.Seal(Timestamp(1000));
  ASSERT_NE(work, nullptr);
  EXPECT_TRUE(work->segments.empty());
  EXPECT_EQ(work->checkpoint, 1u);
  EXPECT_EQ(shard_.Seal(Timestamp(1001)), nullptr);
  shard_.FinishFlush(*work);
  EXPECT_FALSE(shard_.HasUnflushed());
  EXPECT_EQ(shard_.Seal(Timestamp(1002)), nullptr);
}

TEST_F(ShardTest, AReadWaitsForWhatIsAnnouncedUpToItsGuarantee) {
  const auto now = shard_.WaitFor(ctx_, Timestamp(500));
  ASSERT_TRUE(now.ok());  // Nothing is on its way.
  shard_.Announce(Timestamp(10));
  shard_.Announce(Timestamp(20));
  Insert(kP1, {1});  // At 10.
  const auto early = shard_.WaitFor(ctx_, Timestamp(10));
  ASSERT_TRUE(early.ok());
  EXPECT_EQ(*early, Timestamp(10));
  bool is_over = false;
  auto reader = executor_->Spawn("reader", [&] {
    const auto late = shard_.WaitFor(ctx_, Timestamp(500));
    EXPECT_TRUE(late.ok());
    EXPECT_EQ(*late, Timestamp(20));
    is_over = true;
  });
  for (int i = 0; i < 100; ++i) executor_->Yield();
  EXPECT_FALSE(is_over);
  shard_.Advance(Timestamp(20));  // The second one failed.
  reader.reset();
  EXPECT_TRUE(is_over);
}

TEST_F(ShardTest, AReadWaitsForWhatIsAcknowledgedWhateverItsGuarantee) {
  shard_.Announce(Timestamp(10));
  shard_.Announce(Timestamp(20));
  shard_.Acknowledge(Timestamp(10));
  bool is_over = false;
  auto reader = executor_->Spawn("reader", [&] {
    const auto moment = shard_.WaitFor(ctx_, Timestamp(1));
    EXPECT_TRUE(moment.ok());
    EXPECT_EQ(*moment, Timestamp(10));
    is_over = true;
  });
  for (int i = 0; i < 100; ++i) executor_->Yield();
  EXPECT_FALSE(is_over);
  Insert(kP1, {1});  // At 10.
  reader.reset();
  EXPECT_TRUE(is_over);
}

TEST_F(ShardTest, AWaitEndsWithItsCaller) {
  shard_.Announce(Timestamp(10));
  ctx_.Cancel();
  EXPECT_EQ(shard_.WaitFor(ctx_, Timestamp(10)).status().code(), ErrorCode::kCanceled);
}

TEST_F(ShardTest, ReadsBothHalvesAtOneMoment) {
  Insert(kP1, {1});
  Show({SegmentId(7)});
  ExpectKeys({1, 7}, {}, Timestamp(10));
  EXPECT_EQ(query_.read_at, Timestamp(10));
}

TEST_F(ShardTest, AReadStartsAgainWhenASegmentLeftMeanwhile) {
  Show({SegmentId(7)});
  query_.gone = {SegmentId(7)};
  query_.during_read = [this] { Show({SegmentId(8)}); };
  ExpectKeys({8});
  EXPECT_EQ(query_.reads, 2);
  query_.gone = {SegmentId(8)};
  query_.reads = 0;
  EXPECT_EQ(Read().status().code(), ErrorCode::kSegmentNotFound);
  EXPECT_EQ(query_.reads, 3);
}

TEST_F(ShardTest, AllPagesOfAnIteratorAreOfTheSegmentsOfItsFirst) {
  Pages pages({});
  Shard shard(*executor_, query_, "by-dev-rootcoord-dml_0_3v0", Info({kP1}), {}, nullptr, &pages);
  const auto show = [&](int64_t segment) {
    ASSERT_TRUE(shard.Swap(ctx_, {SegmentId(segment)}, {}, /*readable=*/true).ok());
  };
  const auto page = [&](const char* token, const char* filter) {
    model::ShardSearch search;
    search.queries = KeyColumn({1});
    search.k = 5;
    search.read.read_at = Timestamp(10);
    search.read.filter = filter;
    search.cursor = model::IteratorCursor{.token = token};
    const auto hits = Search(ctx_, shard, query_, search);
    EXPECT_TRUE(hits.ok()) << hits.status().ToString();
    return query_.searched.back();
  };
  show(7);
  EXPECT_EQ(page("a", ""), std::vector{SegmentId(7)});
  show(8);
  EXPECT_EQ(page("a", ""), std::vector{SegmentId(7)});
  EXPECT_EQ(page("b", ""), std::vector{SegmentId(8)});
  EXPECT_EQ(page("a", "id > 0"), std::vector{SegmentId(8)}) << "another search of the same name";
  show(9);
  EXPECT_EQ(page("b", ""), std::vector{SegmentId(8)});
  // Its stream was let go of, and the segment has been released.
  query_.gone = {SegmentId(8)};
  EXPECT_EQ(page("b", ""), std::vector{SegmentId(9)});
  clock_.AdvanceMs(100'000);
  pages.DropIdle(ctx_);
  show(10);
  EXPECT_EQ(page("b", ""), std::vector{SegmentId(10)});
}

TEST_F(ShardTest, OneRecordHasRowsOfSeveralPartitions) {
  Show({});
  model::ShardWrite write{.partition = kP1, .columns = {KeyColumn({1, 2})}};
  write.more.push_back({.partition = kP2, .columns = {KeyColumn({3})}});
  ASSERT_TRUE(Apply(write).ok());
  ExpectKeys({1, 2, 3});
  ExpectKeys({1, 2}, kP1);
  ExpectKeys({3}, kP2);
  const auto work = shard_.Seal(Timestamp(100));
  ASSERT_NE(work, nullptr);
  EXPECT_EQ(IdsOf(*work), (std::vector{SegmentId(1001), SegmentId(1002)}));
}

TEST_F(ShardTest, KeysMayGoFromEveryPartitionButThatOfTheirRows) {
  Show({});
  Insert(kP1, {1, 2});
  Insert(kP2, {1});
  ASSERT_TRUE(Apply({.partition = kP2,
                     .columns = {KeyColumn({1})},
                     .delete_keys = KeyColumn({1}),
                     .deletes_everywhere = true})
                  .ok());
  ExpectKeys({2}, kP1);
  ExpectKeys({1}, kP2);
}

TEST_F(ShardTest, ANewSchemaLeavesLoadStateAndPartitionsAlone) {
  Insert(kP1, {1});
  auto newer = Info({kP1});
  newer->loaded = false;
  newer->schema.version = 1;
  newer->schema.fields.push_back(
      {.id = FieldId(101), .name = "new", .type = DataType::kInt64, .nullable = true});
  newer->properties = {{"a", "b"}};
  shard_.SetSchema(*newer);
  Show({});
  const auto state = shard_.Read();
  EXPECT_TRUE(state->collection->loaded);
  EXPECT_EQ(state->collection->partitions.size(), 2u);
  EXPECT_EQ(state->collection->properties.size(), 1u);
  EXPECT_EQ(state->fresh[0]->Snapshot()->schema().version, 1);
  EXPECT_EQ(state->schemas->At(0)->fields.size(), 1u);
  EXPECT_EQ(state->schemas->newest()->fields.size(), 2u);
}

TEST_F(ShardTest, AReadOfASchemaThatIsNotThereYetWaitsForIt) {
  Show({});
  Insert(kP1, {1});
  EXPECT_EQ(shard_.WaitForSchema(ctx_, 1, 30).code(), ErrorCode::kSchemaMismatch);
  EXPECT_TRUE(shard_.WaitForSchema(ctx_, 0, 0).ok());
  EXPECT_TRUE(shard_.WaitForSchema(ctx_, model::kNewestSchema, 0).ok());
  const auto worker = executor_->Spawn("ddl", [&] {
    auto newer = Info({kP1, kP2});
    newer->schema.version = 1;
    shard_.SetSchema(*newer);
  });
  EXPECT_TRUE(shard_.WaitForSchema(ctx_, 1, 5000).ok());
}

}  // namespace
}  // namespace elanus::shard
