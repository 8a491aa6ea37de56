// The catalog's promises: what changes do, that they are whole, and that a restart keeps them.
#include "coord/catalog.h"

#include <gmock/gmock.h>

#include <functional>
#include <set>

#include "coord/test_meta.h"
#include "model/channel.h"

namespace elanus::coord {
namespace {

using testing::HasSubstr;

class CatalogTest : public testing::Test {
 protected:
  void Restart(CatalogOptions options = {}) {
    process_.reset();
    process_ = std::make_unique<Process>(disk_, *executor_, clock_, options);
  }
  Catalog& catalog() { return *process_->catalog; }
  Context& ctx() { return process_->ctx; }
  roles::CollectionSnapshot Find(const std::string& name) { return process_->Find(name); }
  bool Exists(const std::string& name) { return catalog().Find(ctx(), Name(name)).ok(); }
  static model::CollectionName Name(const std::string& name) { return {.collection = name}; }
  void Create(const std::string& name, int32_t shards = 1) {
    const Status created = catalog().CreateCollection(ctx(), MakeRequest(name, shards));
    ASSERT_TRUE(created.ok()) << created.ToString();
  }
  static model::IndexInfo VectorIndex(const std::string& name) {
    return {.name = name,
            .field = FieldId(101),
            .type = "HNSW",
            .metric = "L2",
            .user_params = {{"index_type", "HNSW"}, {"metric_type", "L2"}}};
  }
  size_t KeysLeft() {
    size_t keys = 0;
    for (const char* prefix : {"collection/", "segment/", "delta/", "checkpoint/"}) {
      auto pairs = process_->meta.Scan(ctx(), prefix);
      EXPECT_TRUE(pairs.ok());
      keys += pairs->size();
    }
    return keys;
  }
  /// A collection "c" that has one of everything.
  void CreateFull() {
    Create("c", 2);
    ASSERT_TRUE(catalog().CreatePartition(ctx(), Name("c"), "p").ok());
    const auto info = Find("c");
    ASSERT_TRUE(catalog().CreateIndex(ctx(), info->id, VectorIndex("")).ok());
    auto flush = MakeFlush(*info, {MakeSegment(*info, 1), MakeSegment(*info, 2, 1)}, 7);
    flush.deltas = {
        {.key = "d1", .collection = info->id, .vchannel = info->vchannels[0], .rows = 3}};
    ASSERT_TRUE(catalog().CommitFlush(ctx(), flush).ok());
    const IndexId index = Find("c")->indexes[0].id;
    ASSERT_TRUE(catalog().CommitIndex(ctx(), SegmentId(1), {.index = index, .key = "file"}).ok());
    ASSERT_TRUE(catalog().SetLoaded(ctx(), info->id, {info->partitions[0].id}).ok());
  }

  ManualClock clock_;
  store::MemoryDisk disk_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  std::unique_ptr<Process> process_ = std::make_unique<Process>(disk_, *executor_, clock_);
};

TEST_F(CatalogTest, ACreatedCollectionHasFieldIdsDefaultPartitionAndChannels) {
  Create("c", 3);
  const auto info = Find("c");
  ASSERT_EQ(info->schema.fields.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(info->schema.fields[i].id.value(), 100 + static_cast<int64_t>(i));
  }
  EXPECT_EQ(info->schema.fields[2].name, "$meta");
  EXPECT_TRUE(info->schema.fields[2].is_dynamic);
  EXPECT_EQ(info->schema.fields[2].type, model::DataType::kJson);
  ASSERT_EQ(info->partitions.size(), 1u);
  EXPECT_EQ(info->partitions[0].name, "_default");
  EXPECT_EQ(*model::Find(info->properties, "timezone"), "UTC");
  ASSERT_EQ(info->vchannels.size(), 3u);
  EXPECT_EQ(info->vchannels[2], fmt::format("elanus-dml-0_{}v2", info->id.value()));
  EXPECT_EQ(model::PChannelOf(info->vchannels[2]), "elanus-dml-0");
  EXPECT_FALSE(info->loaded);
  EXPECT_EQ(catalog().Find(ctx(), info->id)->get(), info.get());
}

TEST_F(CatalogTest, ShardsAreSpreadOverTheLogStreams) {
  Restart({.log_streams = 2});
  Create("c", 3);
  const auto info = Find("c");
  EXPECT_EQ(model::PChannelOf(info->vchannels[0]), "elanus-dml-0");
  EXPECT_EQ(model::PChannelOf(info->vchannels[1]), "elanus-dml-1");
  EXPECT_EQ(model::PChannelOf(info->vchannels[2]), "elanus-dml-0");
}

TEST_F(CatalogTest, ANonDynamicCollectionHasNoMetaFieldAndAGivenTimezoneStays) {
  auto request = MakeRequest("c");
  request.schema.enable_dynamic_field = false;
  request.properties = {{"timezone", "Asia/Tokyo"}};
  ASSERT_TRUE(catalog().CreateCollection(ctx(), request).ok());
  EXPECT_EQ(Find("c")->schema.dynamic_field(), nullptr);
  EXPECT_EQ(*model::Find(Find("c")->properties, "timezone"), "Asia/Tokyo");
}

TEST_F(CatalogTest, RecreatingTheSameSucceedsAndChangesNothing) {
  auto request = MakeRequest("c");
  request.properties = {{"a", "1"}, {"b", "2"}};
  ASSERT_TRUE(catalog().CreateCollection(ctx(), request).ok());
  const CollectionId id = Find("c")->id;
  std::swap(request.properties[0], request.properties[1]);
  EXPECT_TRUE(catalog().CreateCollection(ctx(), request).ok());
  EXPECT_EQ(Find("c")->id, id);
}

TEST_F(CatalogTest, RecreatingSomethingElseUnderTheNameIsRefused) {
  Create("c");
  std::vector<model::CreateCollectionRequest> others(4, MakeRequest("c"));
  others[0].schema.fields[1].type_params[0].value = "8";
  others[1].shards_num = 2;
  others[2].properties = {{"collection.ttl.seconds", "5"}};
  others[3].consistency_level = model::ConsistencyLevel::kStrong;
  for (const auto& other : others) {
    EXPECT_EQ(catalog().CreateCollection(ctx(), other).code(), ErrorCode::kInvalidParameter);
  }
  EXPECT_EQ(Find("c")->schema.fields[1].dim(), 4u);
}

TEST_F(CatalogTest, ACollectionCannotBeCreatedUnderANameItsSchemaDoesNotHave) {
  Create("other");
  auto request = MakeRequest("c");
  request.schema.name = "other";
  EXPECT_EQ(catalog().CreateCollection(ctx(), request).code(), ErrorCode::kInvalidParameter);
  EXPECT_FALSE(Exists("c"));
}

TEST_F(CatalogTest, OnlyTheDefaultDatabaseExists) {
  auto request = MakeRequest("c");
  request.name.database = "x";
  EXPECT_EQ(catalog().CreateCollection(ctx(), request).ToString(),
            "database not found[database=x]");
  EXPECT_EQ(catalog().Find(ctx(), request.name).status().code(), ErrorCode::kDatabaseNotFound);
  EXPECT_EQ(catalog().List(ctx(), "x").status().code(), ErrorCode::kDatabaseNotFound);
  Create("c");
  EXPECT_TRUE(catalog().Find(ctx(), {.database = "default", .collection = "c"}).ok());
  // Dropping what is not there succeeds, wherever it is not.
  EXPECT_TRUE(catalog().DropCollection(ctx(), request.name).ok());
  EXPECT_TRUE(Exists("c"));
}

TEST_F(CatalogTest, AMissingCollectionIsNamedWithItsDatabase) {
  EXPECT_EQ(catalog().Find(ctx(), Name("c")).status().ToString(),
            "collection not found[database=default][collection=c]");
  EXPECT_EQ(catalog().Find(ctx(), CollectionId(5)).status().ToString(),
            "collection not found[collection=5]");
}

TEST_F(CatalogTest, RenamingMovesTheNameAndKeepsTheRest) {
  Create("a");
  Create("b");
  const auto before = Find("a");
  EXPECT_EQ(catalog().Rename(ctx(), Name("a"), "b").code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(catalog().Rename(ctx(), Name("x"), "y").code(), ErrorCode::kCollectionNotFound);
  ASSERT_TRUE(catalog().Rename(ctx(), Name("a"), "c").ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(Exists("a"));
    EXPECT_EQ(Find("c")->id, before->id);
    EXPECT_EQ(Find("c")->schema.name, "c");
    EXPECT_GT(Find("c")->updated, before->updated);
    Restart();
  }
  EXPECT_EQ(before->schema.name, "a") << "a snapshot never changes";
  Create("a");
  EXPECT_NE(Find("a")->id, before->id);
}

TEST_F(CatalogTest, ARestartKeepsEverything) {
  CreateFull();
  auto other = MakeRequest("other");
  other.consistency_level = model::ConsistencyLevel::kStrong;
  ASSERT_TRUE(catalog().CreateCollection(ctx(), other).ok());
  const std::string before = process_->Everything();
  Restart();
  EXPECT_EQ(process_->Everything(), before);
  EXPECT_TRUE(Find("c")->loaded);
  EXPECT_EQ(Find("other")->consistency_level, model::ConsistencyLevel::kStrong);
  Create("third");
  EXPECT_GT(Find("third")->id, Find("other")->id);
}

TEST_F(CatalogTest, AChangeThatDoesNotReachTheStoreDoesNotHappen) {
  CreateFull();
  ASSERT_TRUE(catalog().CreatePartition(ctx(), Name("c"), "q").ok());
  const auto info = Find("c");
  const CollectionId id = info->id;
  model::IndexInfo scalar{.name = "s", .field = FieldId(100), .type = "SORTED"};
  const std::vector<std::pair<const char*, std::function<Status()>>> changes = {
      {"create", [&] { return catalog().CreateCollection(ctx(), MakeRequest("new")); }},
      {"drop", [&] { return catalog().DropCollection(ctx(), Name("c")); }},
      {"rename", [&] { return catalog().Rename(ctx(), Name("c"), "new"); }},
      {"alter",
       [&] {
         return catalog().AlterProperties(ctx(), id, {{"key", "value"}}, {});
       }},
      {"create partition", [&] { return catalog().CreatePartition(ctx(), Name("c"), "new"); }},
      {"drop partition", [&] { return catalog().DropPartition(ctx(), Name("c"), "p"); }},
      {"create index", [&] { return catalog().CreateIndex(ctx(), id, scalar); }},
      {"load", [&] { return catalog().SetLoaded(ctx(), id, {}); }},
      {"release", [&] { return catalog().SetReleased(ctx(), id, {}); }},
      {"flush",
       [&] { return catalog().CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 9)}, 9)); }},
      {"compaction",
       [&] {
         return catalog().CommitCompaction(ctx(),
                                           MakeCompaction(*info, {1}, MakeSegment(*info, 9)));
       }},
      {"truncation",
       [&] {
         return catalog().CommitTruncate(
             ctx(),
             {.collection = id, .channels = {{info->vchannels[0], 9}}, .timestamp = Timestamp(90)});
       }},
      {"index file",
       [&] { return catalog().CommitIndex(ctx(), SegmentId(2), {.index = info->indexes[0].id}); }},
  };
  const std::string before = process_->Everything();
  for (const auto& [what, change] : changes) {
    process_->meta.refusing = true;
    EXPECT_EQ(change().code(), ErrorCode::kIoFailed) << what;
    process_->meta.refusing = false;
    EXPECT_EQ(process_->Everything(), before) << what;
    EXPECT_FALSE(Exists("new")) << what;
    Restart();
    EXPECT_EQ(process_->Everything(), before) << what << ", after a restart";
  }
}

TEST_F(CatalogTest, DroppingACollectionRemovesAllItsKeysInOneTransaction) {
  CreateFull();
  const auto info = Find("c");
  ASSERT_GT(KeysLeft(), 4u);
  const int commits = process_->meta.commits;
  ASSERT_TRUE(catalog().DropCollection(ctx(), Name("c")).ok());
  EXPECT_EQ(process_->meta.commits, commits + 1);
  EXPECT_EQ(KeysLeft(), 0u);
  EXPECT_FALSE(Exists("c"));
  EXPECT_EQ(catalog().ListSegments(ctx(), info->id).status().code(),
            ErrorCode::kCollectionNotFound);
  EXPECT_TRUE(catalog().DropCollection(ctx(), Name("c")).ok());
}

TEST_F(CatalogTest, ATruncationTakesAllFilesInOneTransactionAndNothingElse) {
  CreateFull();
  const auto info = Find("c");
  const model::TruncateCommit truncate{
      .collection = info->id,
      .channels = {{info->vchannels[0], 9}, {info->vchannels[1], 4}},
      .timestamp = Timestamp(1000)};
  const int commits = process_->meta.commits;
  ASSERT_TRUE(catalog().CommitTruncate(ctx(), truncate).ok());
  EXPECT_EQ(process_->meta.commits, commits + 1);
  // What was on its way comes too late; what was written later does not.
  auto late = MakeFlush(*info, {MakeSegment(*info, 3)}, 9);
  late.deltas = {{.key = "d2", .collection = info->id, .vchannel = info->vchannels[0], .rows = 3}};
  EXPECT_TRUE(catalog().CommitFlush(ctx(), late).ok());
  EXPECT_EQ(
      catalog().CommitCompaction(ctx(), MakeCompaction(*info, {1}, MakeSegment(*info, 4))).code(),
      ErrorCode::kSegmentNotFound);
  EXPECT_TRUE(
      catalog().CommitIndex(ctx(), SegmentId(2), {.index = info->indexes[0].id, .key = "x"}).ok());
  for (const bool restarted : {false, true}) {
    if (restarted) Restart();
    EXPECT_TRUE(catalog().ListSegments(ctx(), info->id)->empty());
    EXPECT_TRUE(catalog().ListDeltas(ctx(), info->vchannels[0])->empty());
    EXPECT_EQ(catalog().Checkpoint(ctx(), info->vchannels[0])->position, 9u);
    EXPECT_EQ(catalog().Checkpoint(ctx(), info->vchannels[1])->position, 4u);
    EXPECT_EQ(Encode(model::CollectionInfo(*Find("c"))), Encode(model::CollectionInfo(*info)));
  }
  const auto garbage = catalog().ListGarbage(ctx());
  ASSERT_TRUE(garbage.ok() && garbage->size() == 1);
  const std::string id = std::to_string(info->id.value());
  EXPECT_THAT(garbage->front().keys, testing::UnorderedElementsAre(
                                         "segments/" + id + "/1/", "indexes/" + id + "/1/",
                                         "segments/" + id + "/2/", "indexes/" + id + "/2/", "d1"));
  ASSERT_TRUE(catalog().CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 5)}, 10)).ok());
  EXPECT_EQ(catalog().ListSegments(ctx(), info->id)->size(), 1u);
  ASSERT_TRUE(catalog().DropCollection(ctx(), Name("c")).ok());
  EXPECT_EQ(catalog().CommitTruncate(ctx(), truncate).code(), ErrorCode::kCollectionNotFound);
}

TEST_F(CatalogTest, PropertiesAreMergedByKeyAndRemoved) {
  Create("c");
  const auto before = Find("c");
  const auto alter = [&](const std::vector<model::KeyValue>& set,
                         const std::vector<std::string>& remove) {
    ASSERT_TRUE(catalog().AlterProperties(ctx(), before->id, set, remove).ok());
    Restart();
  };
  alter({{"a", "1"}, {"b", "2"}}, {});
  EXPECT_EQ(*model::Find(Find("c")->properties, "a"), "1");
  EXPECT_EQ(*model::Find(Find("c")->properties, "timezone"), "UTC");
  EXPECT_GT(Find("c")->updated, before->updated);
  const Timestamp updated = Find("c")->updated;
  const int commits = process_->meta.commits;
  ASSERT_TRUE(catalog().AlterProperties(ctx(), before->id, {{"a", "1"}}, {}).ok());
  ASSERT_TRUE(catalog().AlterProperties(ctx(), before->id, {}, {"unknown"}).ok());
  EXPECT_EQ(process_->meta.commits, commits) << "nothing new";
  EXPECT_EQ(Find("c")->updated, updated);
  alter({{"a", "3"}, {"collection.description", "words"}}, {});
  EXPECT_EQ(*model::Find(Find("c")->properties, "a"), "3");
  EXPECT_EQ(model::Find(Find("c")->properties, "collection.description"), nullptr);
  EXPECT_EQ(Find("c")->schema.description, "words");
  alter({}, {"a", "b"});
  EXPECT_EQ(Find("c")->properties, before->properties);
  EXPECT_EQ(catalog().AlterProperties(ctx(), CollectionId(1), {}, {"a"}).code(),
            ErrorCode::kCollectionNotFound);
}

TEST_F(CatalogTest, PartitionsComeAndGoWithTheirSegments) {
  CreateFull();
  const auto p = *Find("c")->FindPartition("p");
  EXPECT_TRUE(catalog().CreatePartition(ctx(), Name("c"), "p").ok());
  EXPECT_EQ(Find("c")->FindPartition("p")->id, p.id);
  EXPECT_TRUE(catalog().DropPartition(ctx(), Name("c"), "unknown").ok());
  EXPECT_EQ(catalog().DropPartition(ctx(), Name("c"), "_default").code(),
            ErrorCode::kInvalidParameter);
  ASSERT_TRUE(catalog().SetLoaded(ctx(), Find("c")->id, {p.id}).ok());
  EXPECT_EQ(catalog().DropPartition(ctx(), Name("c"), "p").code(), ErrorCode::kInvalidParameter);
  ASSERT_TRUE(catalog().SetReleased(ctx(), Find("c")->id, {p.id}).ok());
  ASSERT_TRUE(catalog().DropPartition(ctx(), Name("c"), "p").ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Find("c")->FindPartition("p"), nullptr);
    const auto segments = catalog().ListSegments(ctx(), Find("c")->id);
    ASSERT_EQ(segments->size(), 1u);
    EXPECT_EQ((*segments)[0].id, SegmentId(1));
    Restart();
  }
}

TEST_F(CatalogTest, AFlushIsWholeRepeatableAndIgnoresDroppedPartitions) {
  CreateFull();
  const auto info = Find("c");
  auto flush = MakeFlush(*info, {MakeSegment(*info, 5), MakeSegment(*info, 4, 1)}, 9);
  flush.deltas = {{.key = "d2", .collection = info->id, .vchannel = info->vchannels[0], .rows = 1}};
  ASSERT_TRUE(catalog().DropPartition(ctx(), Name("c"), "p").ok());
  const int commits = process_->meta.commits;
  ASSERT_TRUE(catalog().CommitFlush(ctx(), flush).ok());
  EXPECT_EQ(process_->meta.commits, commits + 1);
  const std::string once = process_->Everything();
  ASSERT_TRUE(catalog().CommitFlush(ctx(), flush).ok());
  EXPECT_EQ(process_->Everything(), once);
  Restart();
  EXPECT_EQ(process_->Everything(), once);
  const auto segments = catalog().ListSegments(ctx(), info->id);
  ASSERT_EQ(segments->size(), 2u);
  EXPECT_EQ((*segments)[1].id, SegmentId(5));
  EXPECT_EQ(catalog().ListDeltas(ctx(), info->vchannels[0])->size(), 2u);
  EXPECT_EQ(catalog().Checkpoint(ctx(), info->vchannels[0])->position, 9u);
  EXPECT_EQ(catalog().Checkpoint(ctx(), info->vchannels[1])->position, 0u);
}

TEST_F(CatalogTest, ALateRepetitionOfAFlushDoesNotMoveTheCheckpointBackOrForgetIndexes) {
  CreateFull();
  const auto info = Find("c");
  ASSERT_TRUE(catalog().CommitFlush(ctx(), MakeFlush(*info, {}, 20)).ok());
  ASSERT_TRUE(catalog().CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 1)}, 7)).ok());
  for (int round = 0; round < 2; ++round) {
    const auto checkpoint = catalog().Checkpoint(ctx(), info->vchannels[0]);
    EXPECT_EQ(checkpoint->position, 20u);
    EXPECT_EQ(checkpoint->timestamp, Timestamp(200));
    EXPECT_EQ((*catalog().ListSegments(ctx(), info->id))[0].indexes.size(), 1u);
    Restart();
  }
}

TEST_F(CatalogTest, ACompactionTakesThePlaceOfItsInputsInOneTransaction) {
  CreateFull();
  const auto info = Find("c");
  const IndexId index = info->indexes[0].id;
  ASSERT_TRUE(
      catalog()
          .CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 3), MakeSegment(*info, 4)}, 9))
          .ok());
  model::SegmentInfo output = MakeSegment(*info, 8);
  output.indexes = {{.index = index, .key = "file8"}, {.index = IndexId(999), .key = "dropped"}};
  const int commits = process_->meta.commits;
  ASSERT_TRUE(catalog().CommitCompaction(ctx(), MakeCompaction(*info, {1, 3}, output)).ok());
  EXPECT_EQ(process_->meta.commits, commits + 1);
  for (int round = 0; round < 2; ++round) {
    const auto files = catalog().ListShard(ctx(), info->vchannels[0]);
    ASSERT_TRUE(files.ok());
    ASSERT_EQ(files->segments.size(), 3u);
    EXPECT_EQ(files->segments[0].id, SegmentId(2));
    EXPECT_EQ(files->segments[1].id, SegmentId(4));
    EXPECT_EQ(files->segments[2].id, SegmentId(8));
    ASSERT_EQ(files->segments[2].indexes.size(), 1u) << "an index was dropped meanwhile";
    EXPECT_EQ(files->segments[2].indexes[0].key, "file8");
    EXPECT_EQ(files->checkpoint.position, 9u);
    const auto garbage = catalog().ListGarbage(ctx());
    ASSERT_EQ(garbage->size(), 1u);
    const std::string id = std::to_string(info->id.value());
    EXPECT_EQ((*garbage)[0].keys,
              (std::vector<std::string>{"segments/" + id + "/1/", "indexes/" + id + "/1/",
                                        "segments/" + id + "/3/", "indexes/" + id + "/3/"}));
    Restart();
  }
  ASSERT_TRUE(catalog().ForgetGarbage(ctx(), (*catalog().ListGarbage(ctx()))[0].dropped).ok());
  EXPECT_TRUE(catalog().ListGarbage(ctx())->empty());
  EXPECT_EQ(catalog().CommitCompaction(ctx(), MakeCompaction(*info, {1, 4}, output)).code(),
            ErrorCode::kSegmentNotFound)
      << "compacted already";
  EXPECT_EQ(catalog().ListSegments(ctx(), info->id)->size(), 3u);
}

TEST_F(CatalogTest, ARepeatedFlushDoesNotBringBackWhatHasBeenCompacted) {
  Create("c");
  const auto info = Find("c");
  const auto flush = MakeFlush(*info, {MakeSegment(*info, 1), MakeSegment(*info, 2)}, 5);
  ASSERT_TRUE(catalog().CommitFlush(ctx(), flush).ok());
  ASSERT_TRUE(
      catalog().CommitCompaction(ctx(), MakeCompaction(*info, {1, 2}, MakeSegment(*info, 7))).ok());
  const std::string before = process_->Everything();
  ASSERT_TRUE(catalog().CommitFlush(ctx(), flush).ok());
  EXPECT_EQ(process_->Everything(), before);
}

TEST_F(CatalogTest, ADeltaLogGoesWhenEverySegmentOfItsShardHasItApplied) {
  Create("c", 2);
  const auto info = Find("c");
  const auto delta = [&](const std::string& key, uint64_t newest) {
    return model::DeltaInfo{.key = key,
                            .collection = info->id,
                            .vchannel = info->vchannels[0],
                            .rows = 1,
                            .newest = Timestamp(newest)};
  };
  const auto segment = [&](int64_t id, uint64_t applied) {
    model::SegmentInfo made = MakeSegment(*info, id);
    made.deletes_applied = Timestamp(applied);
    return made;
  };
  const auto keys = [&] {
    Restart();
    std::vector<std::string> all;
    const auto deltas = catalog().ListDeltas(ctx(), info->vchannels[0]);
    for (const auto& one : *deltas) all.push_back(one.key);
    return all;
  };
  const auto flush = [&](int64_t id, uint64_t at, const std::string& key) {
    auto commit = MakeFlush(*info, {segment(id, at)}, at);
    commit.deltas = {delta(key, at - 1)};
    ASSERT_TRUE(catalog().CommitFlush(ctx(), commit).ok());
  };
  flush(1, 10, "d1");
  EXPECT_EQ(keys(), (std::vector<std::string>{})) << "the only segment is newer";
  flush(2, 20, "d2");
  flush(3, 30, "d3");
  EXPECT_EQ(keys(), (std::vector<std::string>{"d2", "d3"}));
  ASSERT_TRUE(catalog().CommitCompaction(ctx(), MakeCompaction(*info, {1}, segment(4, 30))).ok());
  EXPECT_EQ(keys(), (std::vector<std::string>{"d3"})) << "segment 2 does not know it";
  auto counted = MakeCompaction(*info, {}, std::nullopt);
  counted.known = {{.segment = SegmentId(2), .deletes_counted = Timestamp(30), .deleted_rows = 5},
                   {.segment = SegmentId(77), .deletes_counted = Timestamp(30)}};
  counted.old_deltas = {"d3"};
  counted.new_deltas = {delta("d3-merged", 29)};
  ASSERT_TRUE(catalog().CommitCompaction(ctx(), counted).ok());
  EXPECT_EQ(keys(), (std::vector<std::string>{"d3-merged"}));
  EXPECT_EQ(catalog().ListShard(ctx(), info->vchannels[0])->segments[0].deleted_rows, 5);
  counted = MakeCompaction(*info, {}, std::nullopt);
  counted.known = {{.segment = SegmentId(2), .deletes_counted = Timestamp(30)}};
  ASSERT_TRUE(catalog().CommitCompaction(ctx(), counted).ok());
  EXPECT_EQ(keys(), (std::vector<std::string>{})) << "it hides no row";
  // Object and record end together: each of the four is garbage now.
  std::set<std::string> unused;
  const auto all_garbage = catalog().ListGarbage(ctx());
  for (const auto& garbage : *all_garbage) {
    for (const auto& key : garbage.keys) {
      if (key[0] == 'd') unused.insert(key);
    }
  }
  EXPECT_EQ(unused, (std::set<std::string>{"d1", "d2", "d3", "d3-merged"}));
}

TEST_F(CatalogTest, WhatIsDroppedLeavesARecordOfItsFiles) {
  CreateFull();
  const auto info = Find("c");
  const std::string id = std::to_string(info->id.value());
  const auto newest = [&] {
    Restart();
    return catalog().ListGarbage(ctx())->back().keys;
  };
  ASSERT_TRUE(catalog().SetReleased(ctx(), info->id, {}).ok());
  ASSERT_TRUE(catalog().DropIndex(ctx(), info->id, info->indexes[0].name).ok());
  EXPECT_EQ(newest(), std::vector<std::string>{"file"});
  ASSERT_TRUE(catalog().DropPartition(ctx(), Name("c"), "p").ok());
  EXPECT_EQ(newest(),
            (std::vector<std::string>{"segments/" + id + "/2/", "indexes/" + id + "/2/"}));
  ASSERT_TRUE(catalog().DropCollection(ctx(), Name("c")).ok());
  EXPECT_EQ(newest(), (std::vector<std::string>{"segments/" + id + "/", "indexes/" + id + "/",
                                                "deltas/" + id + "/"}));
}

TEST_F(CatalogTest, AFlushOfADroppedCollectionIsRefusedAndLeavesNothing) {
  Create("c");
  const auto info = Find("c");
  ASSERT_TRUE(catalog().DropCollection(ctx(), Name("c")).ok());
  EXPECT_EQ(catalog().CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 1)}, 1)).code(),
            ErrorCode::kCollectionNotFound);
  EXPECT_EQ(KeysLeft(), 0u);
}

TEST_F(CatalogTest, LoadingAddsAndReleasingTheLastPartitionReleasesTheCollection) {
  Create("c");
  ASSERT_TRUE(catalog().CreatePartition(ctx(), Name("c"), "p").ok());
  const auto info = Find("c");
  const PartitionId first = info->partitions[0].id;
  const PartitionId second = info->partitions[1].id;
  const auto loaded = [&] {
    Restart();
    return std::pair(Find("c")->IsLoaded(first), Find("c")->IsLoaded(second));
  };
  ASSERT_TRUE(catalog().SetLoaded(ctx(), info->id, {second}).ok());
  EXPECT_EQ(loaded(), std::pair(false, true));
  ASSERT_TRUE(catalog().SetLoaded(ctx(), info->id, {first}).ok());
  EXPECT_EQ(loaded(), std::pair(true, true));
  ASSERT_TRUE(catalog().SetReleased(ctx(), info->id, {second}).ok());
  EXPECT_EQ(loaded(), std::pair(true, false));
  ASSERT_TRUE(catalog().SetReleased(ctx(), info->id, {first}).ok());
  EXPECT_EQ(loaded(), std::pair(false, false));
  EXPECT_FALSE(Find("c")->loaded);
  // The whole collection: new partitions belong to it; releasing one leaves the others.
  ASSERT_TRUE(catalog().SetLoaded(ctx(), info->id, {second}).ok());
  ASSERT_TRUE(catalog().SetLoaded(ctx(), info->id, {}).ok());
  ASSERT_TRUE(catalog().SetLoaded(ctx(), info->id, {first}).ok());
  ASSERT_TRUE(catalog().CreatePartition(ctx(), Name("c"), "q").ok());
  EXPECT_TRUE(Find("c")->IsLoaded(Find("c")->FindPartition("q")->id));
  ASSERT_TRUE(catalog().SetReleased(ctx(), info->id, {first}).ok());
  EXPECT_EQ(loaded(), std::pair(false, true));
  ASSERT_TRUE(catalog().SetReleased(ctx(), info->id, {}).ok());
  ASSERT_TRUE(catalog().SetReleased(ctx(), info->id, {}).ok());
  EXPECT_EQ(loaded(), std::pair(false, false));
  EXPECT_EQ(catalog().SetLoaded(ctx(), CollectionId(1), {}).code(), ErrorCode::kCollectionNotFound);
}

TEST_F(CatalogTest, AFieldHasOneIndexAndANameIsUsedOnce) {
  Create("c");
  const CollectionId id = Find("c")->id;
  ASSERT_TRUE(catalog().CreateIndex(ctx(), id, VectorIndex("")).ok());
  EXPECT_EQ(Find("c")->indexes[0].name, "vec");
  auto again = VectorIndex("");
  std::swap(again.user_params[0], again.user_params[1]);
  again.user_params.push_back({"mmap.enabled", "true"});
  EXPECT_TRUE(catalog().CreateIndex(ctx(), id, again).ok());
  again.name = "vec";
  EXPECT_TRUE(catalog().CreateIndex(ctx(), id, again).ok());
  EXPECT_EQ(Find("c")->indexes.size(), 1u);
  again.user_params[0].value = "IP";
  EXPECT_EQ(catalog().CreateIndex(ctx(), id, again).code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(catalog().CreateIndex(ctx(), id, VectorIndex("b")).code(),
            ErrorCode::kInvalidParameter);
  const model::IndexInfo taken{.name = "vec", .field = FieldId(100), .type = "SORTED"};
  EXPECT_EQ(catalog().CreateIndex(ctx(), id, taken).code(), ErrorCode::kInvalidParameter);
}

TEST_F(CatalogTest, TheDefaultNameOfAnIndexMayBeTakenToo) {
  Create("c");
  const CollectionId id = Find("c")->id;
  const model::IndexInfo squatter{.name = "vec", .field = FieldId(100), .type = "SORTED"};
  ASSERT_TRUE(catalog().CreateIndex(ctx(), id, squatter).ok());
  EXPECT_EQ(catalog().CreateIndex(ctx(), id, VectorIndex("")).code(), ErrorCode::kInvalidParameter);
  EXPECT_EQ(Find("c")->indexes.size(), 1u);
}

TEST_F(CatalogTest, DroppingAnIndexForgetsItsFiles) {
  CreateFull();
  const CollectionId id = Find("c")->id;
  const IndexId index = Find("c")->indexes[0].id;
  EXPECT_TRUE(catalog().DropIndex(ctx(), id, "unknown").ok());
  const Status loaded = catalog().DropIndex(ctx(), id, "vec");
  EXPECT_EQ(loaded.code(), ErrorCode::kInvalidParameter);
  EXPECT_THAT(loaded.ToString(), HasSubstr("loaded"));
  ASSERT_TRUE(catalog().SetReleased(ctx(), id, {}).ok());
  ASSERT_TRUE(catalog().DropIndex(ctx(), id, "vec").ok());
  // A build that ends late finds its index gone.
  ASSERT_TRUE(catalog().CommitIndex(ctx(), SegmentId(2), {.index = index, .key = "late"}).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(Find("c")->indexes.empty());
    const auto segments = catalog().ListSegments(ctx(), id);
    for (const auto& segment : *segments) {
      EXPECT_TRUE(segment.indexes.empty());
    }
    Restart();
  }
}

TEST_F(CatalogTest, AnIndexFileIsNotedOnceAndOnlyForSegmentsThatAreThere) {
  CreateFull();
  const auto info = Find("c");
  const IndexId index = info->indexes[0].id;
  const std::string before = process_->Everything();
  EXPECT_TRUE(catalog().CommitIndex(ctx(), SegmentId(77), {.index = index, .key = "x"}).ok());
  EXPECT_TRUE(catalog().CommitIndex(ctx(), SegmentId(1), {.index = index, .key = "file"}).ok());
  EXPECT_EQ(process_->Everything(), before);
  Restart();
  EXPECT_EQ(process_->Everything(), before);
}

TEST_F(CatalogTest, AChannelAndASegmentAreFoundAmongManyCollectionsAndGoneWithTheirs) {
  for (const char* name : {"a", "b", "d"}) Create(name);
  CreateFull();
  const auto info = Find("c");
  const auto other = Find("b");
  const IndexId index = info->indexes[0].id;
  ASSERT_TRUE(catalog().CommitFlush(ctx(), MakeFlush(*other, {MakeSegment(*other, 50)}, 3)).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(catalog().Checkpoint(ctx(), info->vchannels[0])->position, 7u);
    EXPECT_EQ(catalog().Checkpoint(ctx(), other->vchannels[0])->position, 3u);
    EXPECT_EQ(catalog().ListDeltas(ctx(), info->vchannels[0])->size(), 1u);
    EXPECT_TRUE(catalog().ListDeltas(ctx(), other->vchannels[0])->empty());
    EXPECT_TRUE(catalog().ListDeltas(ctx(), "elanus-dml-0_7v0")->empty());
    const std::string key = fmt::format("file{}", round);
    ASSERT_TRUE(catalog().CommitIndex(ctx(), SegmentId(2), {.index = index, .key = key}).ok());
    EXPECT_EQ((*catalog().ListSegments(ctx(), info->id))[1].indexes[0].key, key);
    Restart();
  }
  ASSERT_TRUE(catalog().Rename(ctx(), Name("c"), "e").ok());
  EXPECT_EQ(catalog().Checkpoint(ctx(), info->vchannels[0])->position, 7u);
  ASSERT_TRUE(catalog().DropCollection(ctx(), Name("e")).ok());
  const std::string before = process_->Everything();
  EXPECT_EQ(catalog().Checkpoint(ctx(), info->vchannels[0])->position, 0u);
  EXPECT_TRUE(catalog().ListDeltas(ctx(), info->vchannels[0])->empty());
  EXPECT_TRUE(catalog().CommitIndex(ctx(), SegmentId(2), {.index = index, .key = "x"}).ok());
  EXPECT_EQ(process_->Everything(), before);
}

TEST_F(CatalogTest, ThereAreLimitsToCollectionsPartitionsAndTheirProduct) {
  Restart({.collections_max = 2, .partitions_max = 2, .capacity_max = 5});
  Create("a", 2);
  ASSERT_TRUE(catalog().CreatePartition(ctx(), Name("a"), "p").ok());
  EXPECT_EQ(catalog().CreatePartition(ctx(), Name("a"), "q").code(), ErrorCode::kInvalidParameter);
  const Status too_much = catalog().CreateCollection(ctx(), MakeRequest("b", 2));
  EXPECT_EQ(too_much.code(), ErrorCode::kGeneralCapacity);
  EXPECT_EQ(too_much.ToString(), "general capacity exceeded[newGeneralSize=6][generalCapacity=5]");
  Create("b");
  EXPECT_EQ(catalog().CreatePartition(ctx(), Name("b"), "p").code(), ErrorCode::kGeneralCapacity);
  const Status too_many = catalog().CreateCollection(ctx(), MakeRequest("c"));
  EXPECT_EQ(too_many.code(), ErrorCode::kCollectionLimit);
  EXPECT_THAT(too_many.ToString(), HasSubstr("[dbName=default][limit=2]"));
  EXPECT_TRUE(catalog().CreateCollection(ctx(), MakeRequest("b")).ok())
      << "identical is no new one";
}

TEST(CatalogUnderASeed, ConcurrentChangesAllHappenInWhateverOrder) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ManualClock clock;
    auto executor = MakeSimExecutor(seed);
    store::MemoryDisk disk(executor.get());
    std::string before;
    {
      Process process(disk, *executor, clock);
      std::vector<std::unique_ptr<Worker>> workers;
      for (int w = 0; w < 3; ++w) {
        workers.push_back(executor->Spawn(fmt::format("ddl-{}", w), [&process, w] {
          Catalog& catalog = *process.catalog;
          const model::CollectionName shared{.collection = "shared"};
          EXPECT_TRUE(catalog.CreateCollection(process.ctx, MakeRequest("shared")).ok());
          EXPECT_TRUE(catalog.CreatePartition(process.ctx, shared, fmt::format("p{}", w)).ok());
          EXPECT_TRUE(
              catalog.CreateCollection(process.ctx, MakeRequest(fmt::format("c{}", w))).ok());
        }));
      }
      workers.clear();
      EXPECT_EQ(process.Find("shared")->partitions.size(), 4u) << "seed " << seed;
      EXPECT_EQ(process.catalog->List(process.ctx, "")->size(), 4u) << "seed " << seed;
      before = process.Everything();
    }
    Process again(disk, *executor, clock);
    EXPECT_EQ(again.Everything(), before) << "seed " << seed;
  }
}

}  // namespace
}  // namespace elanus::coord
