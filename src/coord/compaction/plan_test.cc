// What is compacted and what is left alone.
#include "coord/compaction/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace elanus::coord {
namespace {

constexpr int64_t kMb = 1 << 20;
constexpr int64_t kNowMs = 1'700'000'000'000;

class PlanTest : public testing::Test {
 protected:
  PlanTest() { collection_.id = CollectionId(1); }

  model::SegmentInfo& Add(int64_t id, int64_t mb, int64_t partition = 1) {
    model::SegmentInfo segment;
    segment.id = SegmentId(id);
    segment.partition = PartitionId(partition);
    segment.rows = 1000;
    segment.bytes = mb * kMb;
    segment.oldest = MakeTimestamp(kNowMs - 100'000 + id);
    segment.newest = MakeTimestamp(kNowMs);
    segment.deletes_applied = segment.deletes_counted = Timestamp(100);
    files_.segments.push_back(segment);
    return files_.segments.back();
  }
  void AddDeltas(int count, uint64_t newest, int64_t rows = 1, int64_t bytes = 100) {
    for (int i = 0; i < count; ++i) {
      files_.deltas.push_back({.key = fmt::format("d{}", files_.deltas.size()),
                               .rows = rows,
                               .newest = Timestamp(newest),
                               .bytes = bytes});
    }
  }
  ShardView View() const {
    return {.collection = collection_,
            .vchannel = vchannel_,
            .files = files_,
            .busy = busy_,
            .now_ms = kNowMs};
  }
  using Ids = std::vector<std::vector<int64_t>>;
  static Ids IdsOf(const std::vector<CompactionPlan>& plans) {
    Ids ids;
    for (const CompactionPlan& plan : plans) {
      ids.emplace_back();
      for (SegmentId id : plan.inputs) ids.back().push_back(id.value());
    }
    return ids;
  }
  Ids Automatic() const { return IdsOf(PlanAutomatic(options_, View())); }
  Ids Manual(const roles::CompactionRequest& request = {}) const {
    return IdsOf(PlanManual(options_, View(), request));
  }

  CompactionOptions options_;
  model::CollectionInfo collection_;
  std::string vchannel_ = "v";
  model::ShardFiles files_;
  std::set<SegmentId> busy_;
};

TEST_F(PlanTest, ThreeSmallSegmentsOfAPartitionAreMerged) {
  Add(1, 10);
  Add(2, 12, /*partition=*/2);
  Add(3, 11);
  EXPECT_EQ(Automatic(), Ids{});
  Add(4, 9);
  EXPECT_EQ(Automatic(), (Ids{{1, 3, 4}}));
  busy_ = {SegmentId(3)};
  EXPECT_EQ(Automatic(), Ids{});
}

TEST_F(PlanTest, AMergeAtLeastDoublesItsLargestInput) {
  Add(1, 100);
  for (int64_t id = 2; id <= 4; ++id) Add(id, 10);
  EXPECT_EQ(Automatic(), (Ids{{2, 3, 4}}));
  Add(5, 70);
  EXPECT_EQ(Automatic(), (Ids{{1, 2, 3, 4, 5}})) << "30 + 70 = 100";
}

TEST_F(PlanTest, RowsAreRewrittenAboutLogarithmicallyOften) {
  // Segments of 1 MB come one by one; whatever is planned is done.
  int64_t written = 0;
  int64_t next = 1000;
  for (int64_t id = 1; id <= 400; ++id) {
    Add(id, 1);
    for (const auto& plan : Automatic()) {
      int64_t mb = 0;
      std::erase_if(files_.segments, [&](const model::SegmentInfo& segment) {
        const bool is_input = std::find(plan.begin(), plan.end(), segment.id.value()) != plan.end();
        if (is_input) mb += segment.bytes / kMb;
        return is_input;
      });
      written += mb;
      Add(next++, mb);
    }
  }
  EXPECT_LE(written, 400 * 9) << "log2(400) is 8.6";
  EXPECT_LE(files_.segments.size(), 20u);
}

TEST_F(PlanTest, LargeOnesAndThoseWithoutTheirIndexAreLeftAlone) {
  Add(1, 600);
  Add(2, 10);
  Add(3, 10);
  Add(4, 10).bytes = 0;  // Unknown.
  EXPECT_EQ(Automatic(), Ids{});
  Add(5, 10);
  EXPECT_EQ(Automatic(), (Ids{{2, 3, 5}}));
  collection_.indexes.push_back({.id = IndexId(7)});
  EXPECT_EQ(Automatic(), Ids{});
  for (auto& segment : files_.segments) segment.indexes.push_back({.index = IndexId(7)});
  EXPECT_EQ(Automatic(), (Ids{{2, 3, 5}}));
  options_.waits_for_index = false;
  collection_.indexes.push_back({.id = IndexId(8)});
  EXPECT_EQ(Automatic(), (Ids{{2, 3, 5}}));
}

TEST_F(PlanTest, TwoThatFillASegmentAreMergedAtOnceAndNothingGrowsFarBeyondIt) {
  Add(1, 450);
  Add(2, 500);
  EXPECT_EQ(Automatic(), (Ids{{1, 2}}));
  Add(3, 425);
  EXPECT_EQ(Automatic(), (Ids{{1, 3}})) << "875 of 1024 MB are 85 %, 1375 would be too many";
}

TEST_F(PlanTest, ASegmentWithManyDeletedRowsIsRewrittenAlone) {
  Add(1, 900).deleted_rows = 199;
  EXPECT_EQ(Automatic(), Ids{});
  files_.segments[0].deleted_rows = 200;
  EXPECT_EQ(Automatic(), (Ids{{1}}));
  files_.segments[0].deleted_rows = 0;
  AddDeltas(1, 50, 1, 17 << 20);
  EXPECT_EQ(Automatic(), Ids{}) << "applied already";
  AddDeltas(1, 150, 1, 17 << 20);
  EXPECT_EQ(Automatic(), (Ids{{1}}));
  files_.deltas.clear();
  AddDeltas(201, 150);
  EXPECT_EQ(Automatic(), (Ids{{1}}));
}

TEST_F(PlanTest, ASegmentWithManyExpiredRowsIsRewritten) {
  Add(1, 1).oldest = MakeTimestamp(kNowMs - 200'000);
  EXPECT_EQ(Automatic(), Ids{});
  collection_.properties = {{"collection.ttl.seconds", "170"}};
  EXPECT_EQ(Automatic(), Ids{}) << "30 of 200 s";
  EXPECT_EQ(Manual(), (Ids{{1}}));
  collection_.properties = {{"collection.ttl.seconds", "150"}};
  EXPECT_EQ(Automatic(), (Ids{{1}}));
  options_.expiry_slack_h = 1;
  EXPECT_EQ(Automatic(), Ids{});
  EXPECT_EQ(Manual(), Ids{});
}

TEST_F(PlanTest, ASegmentWithManyRowsThatAFieldLetsExpireIsRewritten) {
  Add(1, 1);
  ShardView view = View();
  EXPECT_EQ(IdsOf(PlanAutomatic(options_, view)), Ids{});
  view.expired_rows = {{SegmentId(1), 199}};
  EXPECT_EQ(IdsOf(PlanAutomatic(options_, view)), Ids{});
  view.expired_rows = {{SegmentId(1), 200}};
  EXPECT_EQ(IdsOf(PlanAutomatic(options_, view)), (Ids{{1}}));
  view.resting = {SegmentId(1)};
  EXPECT_EQ(IdsOf(PlanAutomatic(options_, view)), Ids{}) << "they cannot go yet";
}

TEST_F(PlanTest, WhatReadersOfThePastSeeStaysForAsLongAsTheRetentionSays) {
  EXPECT_EQ(DeletedUntil(options_, kNowMs), kTimestampMax);
  options_.retention_s = 60;
  EXPECT_EQ(DeletedUntil(options_, kNowMs), MakeTimestamp(kNowMs - 60'000));
  EXPECT_EQ(ExpiredUntilUs(options_, kNowMs), (kNowMs - 60'000) * 1000);
  collection_.properties = {{"collection.ttl.seconds", "10"}};
  EXPECT_EQ(ReclaimBefore(options_, collection_, kNowMs), MakeTimestamp(kNowMs - 70'000));
}

TEST_F(PlanTest, TheAgeOfTheServerIsThatOfCollectionsWithoutOne) {
  EXPECT_EQ(ReclaimBefore(options_, collection_, kNowMs), Timestamp());
  options_.entity_expiration_s = 30;
  EXPECT_EQ(ReclaimBefore(options_, collection_, kNowMs), MakeTimestamp(kNowMs - 30'000));
  collection_.properties = {{"collection.ttl.seconds", "-1"}};
  EXPECT_EQ(ReclaimBefore(options_, collection_, kNowMs), Timestamp());
}

TEST_F(PlanTest, WhatAnOpenReadSeesStaysForAsLongAsItIsOpen) {
  const Timestamp open = MakeTimestamp(kNowMs - 5'000, 7);
  EXPECT_EQ(DeletedUntil(options_, kNowMs, open), open);
  EXPECT_EQ(ExpiredUntilUs(options_, kNowMs, open), (kNowMs - 5'000) * 1000);
  collection_.properties = {{"collection.ttl.seconds", "10"}};
  EXPECT_EQ(ReclaimBefore(options_, collection_, kNowMs, open), MakeTimestamp(kNowMs - 15'000));
  options_.retention_s = 60;
  EXPECT_EQ(DeletedUntil(options_, kNowMs, open), MakeTimestamp(kNowMs - 60'000));
}

TEST_F(PlanTest, APartitionIsClusteredWhenMuchOfItIsNewOrSomeForLong) {
  EXPECT_TRUE(PlanDueClustering(options_, View()).empty());
  Add(1, 300);
  Add(2, 200);
  EXPECT_TRUE(PlanDueClustering(options_, View()).empty()) << "no clustering key";
  collection_.schema.fields.push_back(
      {.id = FieldId(105), .type = model::DataType::kInt64, .is_clustering_key = true});
  EXPECT_TRUE(PlanDueClustering(options_, View()).empty()) << "500 of 512 MB";
  Add(3, 20);
  const auto first = PlanDueClustering(options_, View());
  EXPECT_EQ(IdsOf(first), (Ids{{1, 2, 3}}));
  EXPECT_TRUE(first[0].is_clustering);
  busy_ = {SegmentId(2)};
  EXPECT_TRUE(PlanDueClustering(options_, View()).empty()) << "some are being compacted";
  busy_.clear();
  for (model::SegmentInfo& segment : files_.segments) {
    segment.clustered_by = FieldId(105);
    segment.clustered_at = MakeTimestamp(kNowMs - 3'000'000);
  }
  EXPECT_TRUE(PlanDueClustering(options_, View()).empty()) << "nothing is new";
  Add(4, 600);
  EXPECT_TRUE(PlanDueClustering(options_, View()).empty()) << "50 minutes of an hour";
  options_.clustering_s_min = 2999;
  EXPECT_EQ(IdsOf(PlanDueClustering(options_, View())), (Ids{{1, 2, 3, 4}}));
  files_.segments.back().bytes = kMb;
  EXPECT_TRUE(PlanDueClustering(options_, View()).empty());
  options_.clustering_s_max = 3000;
  EXPECT_EQ(IdsOf(PlanDueClustering(options_, View())), (Ids{{1, 2, 3, 4}})) << "for long";
}

TEST_F(PlanTest, ClusteredSegmentsAreNotMergedWithOthers) {
  collection_.schema.fields.push_back(
      {.id = FieldId(105), .type = model::DataType::kInt64, .is_clustering_key = true});
  for (int64_t id = 1; id <= 3; ++id) Add(id, 10);
  files_.segments[2].clustered_by = FieldId(105);
  EXPECT_EQ(Automatic(), Ids{});
  EXPECT_EQ(Manual(), (Ids{{1, 2}}));
  files_.segments[2].deleted_rows = 300;
  EXPECT_EQ(Automatic(), (Ids{{3}}));
  const auto plans = PlanManual(options_, View(), {});
  EXPECT_EQ(IdsOf(plans), (Ids{{3}, {1, 2}}));
  EXPECT_TRUE(plans[0].is_clustering) << "it keeps its order";
  EXPECT_FALSE(plans[1].is_clustering);
}

TEST_F(PlanTest, OnRequestSmallOnesArePackedAndThoseWithDeadRowsRewritten) {
  Add(1, 10);
  EXPECT_EQ(Manual(), Ids{});
  Add(2, 10);
  Add(3, 900);
  Add(4, 800, /*partition=*/2).deleted_rows = 1;
  EXPECT_EQ(Manual(), (Ids{{1, 2}, {4}}));
  AddDeltas(1, 150);
  EXPECT_EQ(Manual(), (Ids{{1, 2, 3}, {4}})) << "920 MB fit";
  EXPECT_EQ(Manual({.partition = PartitionId(2)}), (Ids{{4}}));
  EXPECT_EQ(Manual({.segments = {SegmentId(1), SegmentId(4)}}), (Ids{{1}, {4}}));
}

TEST_F(PlanTest, OnRequestATargetSizeBoundsWhatIsMerged) {
  for (int64_t id = 1; id <= 6; ++id) Add(id, 40);
  Add(7, 600);
  EXPECT_EQ(Manual({.target_mb = 100}), (Ids{{1, 2, 3}, {4, 5, 6}}));
  EXPECT_EQ(Manual({.target_mb = 2048}), (Ids{{1, 2, 3, 4, 5, 6, 7}}));
  EXPECT_EQ(Manual(), (Ids{{1, 2, 3, 4, 5, 6}}));
}

TEST_F(PlanTest, DeltaLogsAreDueByNumberBytesAndWhatTheyMayHideOnceOnly) {
  Add(1, 100);
  AddDeltas(9, 150);
  EXPECT_FALSE(DeletesAreDue(options_, View()));
  AddDeltas(1, 150);
  EXPECT_TRUE(DeletesAreDue(options_, View()));
  files_.segments[0].deletes_counted = Timestamp(150);
  EXPECT_FALSE(DeletesAreDue(options_, View())) << "counted";
  AddDeltas(1, 160, /*rows=*/199);
  EXPECT_FALSE(DeletesAreDue(options_, View()));
  AddDeltas(1, 160, /*rows=*/1);
  EXPECT_TRUE(DeletesAreDue(options_, View()));
  files_.deltas.clear();
  AddDeltas(1, 160, 1, 9 << 20);
  EXPECT_TRUE(DeletesAreDue(options_, View()));
}

TEST_F(PlanTest, SegmentsWithoutAFieldThatAFunctionFillsAreRewrittenAlone) {
  model::CollectionSchema& schema = collection_.schema;
  schema.fields = {{.id = FieldId(100), .name = "text"},
                   {.id = FieldId(101), .name = "counts", .is_function_output = true}};
  schema.functions = {{.name = "count",
                       .type = model::FunctionType::kBm25,
                       .inputs = {"text"},
                       .outputs = {"counts"}}};
  Add(1, 10).fields = {FieldId(100)};
  Add(2, 10).fields = {FieldId(100), FieldId(101)};
  Add(3, 10).fields = {FieldId(100)};
  Add(4, 10).fields = {FieldId(100)};
  busy_ = {SegmentId(4)};
  EXPECT_EQ(IdsOf(PlanFills(options_, View())), (Ids{{1}, {3}}));
  schema.functions.clear();
  EXPECT_EQ(IdsOf(PlanFills(options_, View())), Ids{});
}

}  // namespace
}  // namespace elanus::coord
