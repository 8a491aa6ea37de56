// A query node whose segments come and go at once: what is listed is there, and nothing else.
#include "query/node.h"

#include <gtest/gtest.h>

#include "index/scalar_index.h"
#include "segment/manifest.h"
#include "store/formats/column_file.h"
#include "store/memory/memory_disk.h"
#include "store/testing/forwarding_store.h"

namespace elanus::query {
namespace {

constexpr CollectionId kCollection{3};
constexpr FieldId kKey{100};
const std::string kIndexKey = "indexes/3/1/9";

/// Does something else when an object is opened.
class BusyStore final : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<Blob> Open(Context& ctx, std::string_view key) override {
    ++opened;
    if (meanwhile && key == kIndexKey) meanwhile();
    return ForwardingStore::Open(ctx, key);
  }

  std::function<void()> meanwhile;
  int opened = 0;
};

class QueryNode : public testing::Test {
 protected:
  QueryNode() {
    collection_.id = kCollection;
    collection_.schema.name = "c";
    collection_.schema.fields.push_back(
        {.id = kKey, .name = "id", .type = model::DataType::kInt64, .is_primary_key = true});
  }

  model::Column Ints(FieldId field) {
    model::Column column =
        model::MakeColumn(field, "", model::DataType::kInt64, model::DataType::kNone, 0);
    for (int64_t value = 0; value < 10; ++value) column.AppendFixed(&value);
    return column;
  }
  model::SegmentInfo Write(int64_t id, std::vector<FieldId> fields = {}) {
    fields.insert(fields.end(), {kKey, segment::kTimestampField});
    const std::string folder = fmt::format("segments/3/{}/", id);
    segment::Manifest manifest{.segment = SegmentId(id), .collection = kCollection, .rows = 10};
    for (FieldId field : fields) {
      const std::string key = fmt::format("{}{}.col", folder, field.value());
      EXPECT_TRUE(disk_objects_->Put(ctx_, key, store::EncodeColumnFile(Ints(field))).ok());
      manifest.files.push_back({.field = field, .key = key});
    }
    EXPECT_TRUE(
        disk_objects_->Put(ctx_, folder + "manifest", segment::EncodeManifest(manifest)).ok());
    return {.id = SegmentId(id),
            .collection = kCollection,
            .rows = 10,
            .manifest_key = folder + "manifest"};
  }
  // An index that the segment has from now on.
  void AddIndex(model::SegmentInfo& info) {
    const auto bytes = index::FindScalarType("STL_SORT")->Build(ctx_, Ints(kKey).view(), {});
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    ASSERT_TRUE(disk_objects_->Put(ctx_, kIndexKey, *bytes).ok());
    collection_.indexes.push_back(
        {.id = IndexId(9), .name = "i", .field = kKey, .type = "STL_SORT"});
    info.indexes.push_back({.index = IndexId(9), .key = kIndexKey});
  }
  Status Load(const model::SegmentInfo& info) {
    return node_.LoadSegments(ctx_, {info}, collection_, {});
  }
  // Whether reads find the segment.
  ErrorCode Ask(SegmentId id) { return node_.CountTerms(ctx_, {id}, kKey, {}).status().code(); }

  ManualClock clock_;
  Context ctx_{clock_};
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  Pool pool_{*executor_, "search", 1, 8};
  store::MemoryDisk disk_;
  std::unique_ptr<store::ObjectStore> disk_objects_ = disk_.OpenObjects();
  BusyStore objects_{*disk_objects_};
  Node node_{objects_, pool_};
  model::CollectionInfo collection_;
};

TEST_F(QueryNode, ASegmentThatIsReleasedWhileItIsLoadedAgainIsGone) {
  model::SegmentInfo first = Write(1);
  const model::SegmentInfo second = Write(2);
  ASSERT_TRUE(Load(first).ok());
  ASSERT_TRUE(Load(second).ok());
  AddIndex(first);
  objects_.meanwhile = [&] { EXPECT_TRUE(node_.ReleaseSegment(ctx_, first.id).ok()); };
  EXPECT_EQ(Load(first).code(), ErrorCode::kSegmentNotFound);
  EXPECT_EQ(Ask(first.id), ErrorCode::kSegmentNotFound);
  // A new version of the schema reaches those that are there.
  model::CollectionSchema newer = collection_.schema;
  newer.version = 1;
  EXPECT_TRUE(node_.SetSchema(ctx_, kCollection, newer).ok());
  EXPECT_EQ(Ask(second.id), ErrorCode::kOk);
  objects_.meanwhile = nullptr;
  EXPECT_TRUE(Load(first).ok());
  EXPECT_EQ(Ask(first.id), ErrorCode::kOk);
}

TEST_F(QueryNode, ALoadThatFailsGoesOnWhereItEnded) {
  const model::SegmentInfo first = Write(1);
  const model::SegmentInfo second = Write(2);
  const std::string manifest = second.manifest_key;
  const std::string bytes(disk_objects_->Open(ctx_, manifest)->bytes());
  ASSERT_TRUE(disk_objects_->Delete(ctx_, manifest).ok());
  const auto load = [&] { return node_.LoadSegments(ctx_, {first, second}, collection_, {}); };
  EXPECT_EQ(load().code(), ErrorCode::kKeyNotFound);
  EXPECT_EQ(Ask(second.id), ErrorCode::kSegmentNotFound);
  ASSERT_TRUE(disk_objects_->Put(ctx_, manifest, bytes).ok());
  const int before = objects_.opened;
  ASSERT_TRUE(load().ok());
  EXPECT_EQ(objects_.opened - before, 3) << "manifest, keys and timestamps of the second";
  EXPECT_EQ(Ask(first.id), ErrorCode::kOk);
  EXPECT_EQ(Ask(second.id), ErrorCode::kOk);
}

TEST_F(QueryNode, AReadMayGoWithoutASegmentThatCannotBeRead) {
  constexpr FieldId kNumber{101};
  collection_.schema.fields.push_back(
      {.id = kNumber, .name = "n", .type = model::DataType::kInt64});
  // Without room for all that is loaded, a file is looked into when a filter first asks for it.
  Node node(objects_, pool_, {.cache = {.budget_mb = 1, .high_ratio = 1e-6, .low_ratio = 0}});
  std::string damaged = store::EncodeColumnFile(Ints(kNumber));
  const int64_t values[] = {7, 8};
  const size_t at =
      damaged.find(std::string_view(reinterpret_cast<const char*>(values), sizeof(values)));
  ASSERT_NE(at, std::string::npos);
  damaged[at] ^= 1;
  for (int64_t id : {1, 2, 3}) {
    const model::SegmentInfo info = Write(id, {kNumber});
    if (id == 2) {
      ASSERT_TRUE(disk_objects_->Put(ctx_, "segments/3/2/101.col", damaged).ok());
    }
    const Status loaded = node.LoadSegments(ctx_, {info}, collection_, {});
    ASSERT_TRUE(loaded.ok()) << loaded.ToString();
  }
  const std::vector<SegmentId> all = {SegmentId(1), SegmentId(2), SegmentId(3)};
  model::ShardQuery query;
  query.read.collection = kCollection;
  query.read.filter = "n >= 3";
  query.count_only = true;
  EXPECT_EQ(node.Retrieve(ctx_, all, query).status().code(), ErrorCode::kIntegrity);
  query.read.data_ratio_min = 0.7;
  EXPECT_EQ(node.Retrieve(ctx_, all, query).status().code(), ErrorCode::kIntegrity);
  query.read.data_ratio_min = 0.6;
  const auto counted = node.Retrieve(ctx_, all, query);
  ASSERT_TRUE(counted.ok()) << counted.status().ToString();
  EXPECT_EQ(counted->count, 14);
  // What it is not to blame for is told all the same.
  query.read.filter = "n >=";
  EXPECT_FALSE(node.Retrieve(ctx_, all, query).ok());
  query.read.filter = "n >= 3";
  query.read.data_ratio_min = 0;
  EXPECT_EQ(node.Retrieve(ctx_, {SegmentId(2)}, query).status().code(), ErrorCode::kIntegrity);
}

TEST_F(QueryNode, WhatIsServedIsDescribedWithItsIndexesAndTheBytesThatAreOpen) {
  model::SegmentInfo info = Write(1);
  ASSERT_TRUE(Load(info).ok());
  const auto describe = [&] { return *node_.Describe(ctx_, {info.id, SegmentId(7)}); };
  auto served = describe();
  ASSERT_EQ(served.size(), 1u) << "the other is not there";
  EXPECT_EQ(served[0].info.id, info.id);
  EXPECT_EQ(served[0].info.rows, 10);
  EXPECT_TRUE(served[0].info.indexes.empty());
  EXPECT_GE(served[0].memory_bytes, 10 * 16) << "keys and moments stay open";
  AddIndex(info);
  ASSERT_TRUE(Load(info).ok());
  served = describe();
  ASSERT_EQ(served[0].info.indexes.size(), 1u);
  EXPECT_EQ(served[0].info.indexes[0].index, IndexId(9));
  ASSERT_TRUE(node_.ReleaseSegment(ctx_, info.id).ok());
  EXPECT_TRUE(describe().empty());
}

TEST_F(QueryNode, ALoadThatFailsLeavesWhatIsLoadedAlone) {
  const model::SegmentInfo first = Write(1);
  ASSERT_TRUE(Load(first).ok());
  model::SegmentInfo missing = first;
  missing.id = SegmentId(2);
  missing.manifest_key = "segments/3/2/manifest";
  EXPECT_EQ(Load(missing).code(), ErrorCode::kKeyNotFound);
  EXPECT_EQ(Ask(first.id), ErrorCode::kOk);
  EXPECT_EQ(Ask(missing.id), ErrorCode::kSegmentNotFound);
  EXPECT_TRUE(node_.ReleaseSegment(ctx_, missing.id).ok()) << "it is not there";
  EXPECT_TRUE(node_.ReleaseSegment(ctx_, first.id).ok());
  EXPECT_EQ(Ask(first.id), ErrorCode::kSegmentNotFound);
  EXPECT_TRUE(Load(first).ok()) << "the first of a collection that had none left";
  EXPECT_EQ(Ask(first.id), ErrorCode::kOk);
}

}  // namespace
}  // namespace elanus::query
