// What the catalog promises of schemas that change and of partitions by key: ids, versions, one
// transaction, and that a restart keeps all of it.
#include <gtest/gtest.h>

#include <set>

#include "coord/catalog.h"
#include "coord/test_meta.h"
#include "model/partition_key.h"

namespace elanus::coord {
namespace {

class CatalogSchemaTest : public testing::Test {
 protected:
  CatalogSchemaTest() { EXPECT_TRUE(catalog().CreateCollection(ctx(), MakeRequest("c")).ok()); }
  void Restart(CatalogOptions options = {}) {
    process_.reset();
    process_ = std::make_unique<Process>(disk_, *executor_, clock_, options);
  }
  Catalog& catalog() { return *process_->catalog; }
  Context& ctx() { return process_->ctx; }
  roles::CollectionSnapshot Find(const std::string& name = "c") { return process_->Find(name); }
  static model::FieldSchema Number(const std::string& name) {
    return {.name = name, .type = model::DataType::kInt64, .nullable = true};
  }
  Status Change(model::CollectionSchema schema, model::IndexChange indexes = {}) {
    return catalog().ChangeSchema(ctx(), Find()->id, std::move(schema), std::move(indexes));
  }
  void Add(const std::string& name) {
    model::CollectionSchema schema = Find()->schema;
    schema.fields.insert(schema.fields.end() - 1, Number(name));
    const Status added = Change(std::move(schema));
    ASSERT_TRUE(added.ok()) << added.ToString();
  }
  void Drop(const std::string& name) {
    model::CollectionSchema schema = Find()->schema;
    std::erase_if(schema.fields, [&](const auto& field) { return field.name == name; });
    ASSERT_TRUE(Change(std::move(schema)).ok());
  }
  int64_t IdOf(const std::string& name) { return Find()->schema.FindField(name)->id.value(); }

  ManualClock clock_;
  store::MemoryDisk disk_;
  std::unique_ptr<Executor> executor_ = MakeThreadExecutor();
  std::unique_ptr<Process> process_ = std::make_unique<Process>(disk_, *executor_, clock_);
};

TEST_F(CatalogSchemaTest, AChangeIsTheNextVersionWithNewIdsBehindAllOthers) {
  const auto before = Find();
  Add("new");
  for (int round = 0; round < 2; ++round) {
    const auto after = Find();
    EXPECT_EQ(after->schema.version, before->schema.version + 1);
    EXPECT_GT(after->updated, before->updated);
    EXPECT_EQ(IdOf("new"), before->schema.highest_field_id() + 1);
    EXPECT_EQ(after->schema.fields.back().name, "$meta");
    Restart();
  }
  EXPECT_EQ(before->schema.FindField("new"), nullptr) << "a snapshot stays as it is";
}

TEST_F(CatalogSchemaTest, AnIdIsNeverGivenAgain) {
  Add("a");
  const int64_t a = IdOf("a");
  Drop("a");
  Restart();
  Add("b");
  EXPECT_GT(IdOf("b"), a);
  Drop("b");
  Add("a");
  EXPECT_EQ(IdOf("a"), a + 2);
}

TEST_F(CatalogSchemaTest, AStructGetsAnIdFollowedByThoseOfItsParts) {
  model::CollectionSchema schema = Find()->schema;
  const int64_t highest = schema.highest_field_id();
  schema.structs.push_back({.name = "s", .nullable = true});
  for (const char* part : {"s[a]", "s[b]"}) {
    model::FieldSchema field{.name = part, .type = model::DataType::kArray, .nullable = true};
    field.struct_name = "s";
    schema.fields.insert(schema.fields.end() - 1, field);
  }
  ASSERT_TRUE(Change(std::move(schema)).ok());
  EXPECT_EQ(Find()->schema.structs[0].id.value(), highest + 1);
  EXPECT_EQ(IdOf("s[a]"), highest + 2);
  EXPECT_EQ(IdOf("s[b]"), highest + 3);
  Add("next");
  EXPECT_EQ(IdOf("next"), highest + 4);
}

TEST_F(CatalogSchemaTest, AChangeOfAnOlderVersionIsRefused) {
  const model::CollectionSchema old = Find()->schema;
  Add("new");
  model::CollectionSchema mine = old;
  mine.description = "mine";
  EXPECT_EQ(Change(mine).code(), ErrorCode::kSchemaMismatch);
  EXPECT_NE(Find()->schema.FindField("new"), nullptr);
  EXPECT_EQ(catalog().ChangeSchema(ctx(), CollectionId(1), mine, {}).code(),
            ErrorCode::kCollectionNotFound);
}

TEST_F(CatalogSchemaTest, IndexesOnWhatIsDroppedGoWithTheirFilesInOneTransaction) {
  Add("new");
  const auto info = Find();
  const FieldId field(IdOf("new"));
  ASSERT_TRUE(
      catalog().CreateIndex(ctx(), info->id, {.name = "i", .field = field, .type = "SORTED"}).ok());
  const IndexId index = Find()->indexes[0].id;
  ASSERT_TRUE(catalog().CommitFlush(ctx(), MakeFlush(*info, {MakeSegment(*info, 1)}, 7)).ok());
  ASSERT_TRUE(catalog().CommitIndex(ctx(), SegmentId(1), {.index = index, .key = "file"}).ok());
  const int commits = process_->meta.commits;
  Drop("new");
  EXPECT_EQ(process_->meta.commits, commits + 1);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(Find()->indexes.empty());
    const auto segments = catalog().ListSegments(ctx(), info->id);
    ASSERT_EQ(segments->size(), 1u);
    EXPECT_TRUE((*segments)[0].indexes.empty());
    const auto garbage = catalog().ListGarbage(ctx());
    ASSERT_EQ(garbage->size(), 1u);
    EXPECT_EQ((*garbage)[0].keys, std::vector<std::string>{"file"});
    Restart();
  }
}

TEST_F(CatalogSchemaTest, IndexesComeWithTheirFieldsInOneTransaction) {
  model::CollectionSchema schema = Find()->schema;
  schema.fields.insert(schema.fields.end() - 1, Number("new"));
  const model::IndexChange adds{
      .added = {{.field = "new", .info = {.name = "i", .type = "SORTED"}}}, .dropped = {}};
  const std::string before = process_->Everything();
  process_->meta.refusing = true;
  EXPECT_EQ(Change(schema, adds).code(), ErrorCode::kIoFailed);
  process_->meta.refusing = false;
  EXPECT_EQ(process_->Everything(), before) << "neither of both";
  const int commits = process_->meta.commits;
  ASSERT_TRUE(Change(schema, adds).ok());
  EXPECT_EQ(process_->meta.commits, commits + 1);
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(Find()->indexes.size(), 1u);
    EXPECT_EQ(Find()->indexes[0].name, "i");
    EXPECT_EQ(Find()->indexes[0].field.value(), IdOf("new"));
    EXPECT_NE(Find()->indexes[0].id, IndexId());
    Restart();
  }
  schema = Find()->schema;
  schema.description = "other";
  EXPECT_EQ(
      Change(schema, {.added = {{.field = "new", .info = {.name = "j"}}}, .dropped = {}}).code(),
      ErrorCode::kInvalidParameter)
      << "the field has an index";
  EXPECT_EQ(Change(schema, {.added = {{.field = "nothing", .info = {.name = "j"}}}, .dropped = {}})
                .code(),
            ErrorCode::kInvalidParameter);
  EXPECT_EQ(Find()->schema.description, "") << "what cannot be done whole is not done";
  ASSERT_TRUE(Change(schema, {.added = {}, .dropped = {"i", "nothing"}}).ok());
  EXPECT_TRUE(Find()->indexes.empty());
}

TEST_F(CatalogSchemaTest, ANewCollectionHasItsIndexesFromTheFirstMoment) {
  model::CreateCollectionRequest request = MakeRequest("d");
  request.indexes = {{.field = "vec", .info = {.name = "i", .type = "HNSW"}}};
  const int commits = process_->meta.commits;
  ASSERT_TRUE(catalog().CreateCollection(ctx(), request).ok());
  EXPECT_EQ(process_->meta.commits, commits + 1);
  EXPECT_TRUE(catalog().CreateCollection(ctx(), request).ok()) << "the same";
  Restart();
  ASSERT_EQ(Find("d")->indexes.size(), 1u);
  EXPECT_EQ(Find("d")->indexes[0].field, Find("d")->schema.FindField("vec")->id);
}

TEST_F(CatalogSchemaTest, AChangeThatDoesNotReachTheStoreDoesNotHappen) {
  ASSERT_TRUE(
      catalog()
          .CreateIndex(ctx(), Find()->id, {.name = "i", .field = FieldId(101), .type = "HNSW"})
          .ok());
  const std::string before = process_->Everything();
  model::CollectionSchema schema = Find()->schema;
  schema.fields.insert(schema.fields.end() - 1, Number("new"));
  process_->meta.refusing = true;
  EXPECT_EQ(Change(schema).code(), ErrorCode::kIoFailed);
  EXPECT_EQ(catalog().AlterIndex(ctx(), Find()->id, "i", {{"mmap.enabled", "true"}}, {}).code(),
            ErrorCode::kIoFailed);
  process_->meta.refusing = false;
  EXPECT_EQ(process_->Everything(), before);
  Restart();
  EXPECT_EQ(process_->Everything(), before);
}

TEST_F(CatalogSchemaTest, AlteredParametersOfAnIndexStay) {
  const CollectionId id = Find()->id;
  ASSERT_TRUE(
      catalog().CreateIndex(ctx(), id, {.name = "i", .field = FieldId(101), .type = "HNSW"}).ok());
  ASSERT_TRUE(catalog().AlterIndex(ctx(), id, "i", {{"mmap.enabled", "true"}}, {}).ok());
  Restart();
  EXPECT_EQ(*model::Find(Find()->indexes[0].user_params, "mmap.enabled"), "true");
  const int commits = process_->meta.commits;
  ASSERT_TRUE(catalog().AlterIndex(ctx(), id, "i", {{"mmap.enabled", "true"}}, {}).ok());
  EXPECT_EQ(process_->meta.commits, commits) << "nothing new";
  ASSERT_TRUE(catalog().AlterIndex(ctx(), id, "i", {}, {"mmap.enabled"}).ok());
  EXPECT_TRUE(Find()->indexes[0].user_params.empty());
  EXPECT_EQ(catalog().AlterIndex(ctx(), id, "j", {}, {"a"}).code(), ErrorCode::kIndexNotFound);
}

TEST_F(CatalogSchemaTest, TheConsistencyLevelIsAProperty) {
  const CollectionId id = Find()->id;
  ASSERT_TRUE(catalog().AlterProperties(ctx(), id, {{"consistency_level", "Session"}}, {}).ok());
  Restart();
  EXPECT_EQ(Find()->consistency_level, model::ConsistencyLevel::kSession);
  EXPECT_EQ(model::Find(Find()->properties, "consistency_level"), nullptr);
  ASSERT_TRUE(catalog().AlterProperties(ctx(), id, {{"consistency_level", "3"}}, {}).ok());
  EXPECT_EQ(Find()->consistency_level, model::ConsistencyLevel::kEventually);
}

TEST_F(CatalogSchemaTest, AKeyMakesThePartitions) {
  const auto request = [](int64_t partitions) {
    auto wanted = MakeRequest("k", 2);
    wanted.schema.fields.push_back(
        {.name = "tenant", .type = model::DataType::kInt64, .is_partition_key = true});
    wanted.num_partitions = partitions;
    return wanted;
  };
  ASSERT_TRUE(catalog().CreateCollection(ctx(), request(0)).ok());
  for (int round = 0; round < 2; ++round) {
    const auto info = Find("k");
    ASSERT_EQ(info->partitions.size(), 16u);
    std::set<PartitionId> ids;
    for (size_t i = 0; i < 16; ++i) {
      EXPECT_EQ(info->partitions[i].name, model::PartitionName(i));
      ids.insert(info->partitions[i].id);
    }
    EXPECT_EQ(ids.size(), 16u);
    Restart();
  }
  EXPECT_TRUE(catalog().CreateCollection(ctx(), request(16)).ok()) << "the same";
  EXPECT_EQ(catalog().CreateCollection(ctx(), request(17)).code(), ErrorCode::kInvalidParameter);
  ASSERT_TRUE(catalog().DropCollection(ctx(), {.collection = "k"}).ok());
  EXPECT_EQ(catalog().CreateCollection(ctx(), request(1025)).code(), ErrorCode::kInvalidParameter);
  ASSERT_TRUE(catalog().CreateCollection(ctx(), request(1024)).ok());
  ASSERT_TRUE(catalog().DropCollection(ctx(), {.collection = "k"}).ok());
  Restart({.capacity_max = 20});
  EXPECT_EQ(catalog().CreateCollection(ctx(), request(10)).code(), ErrorCode::kGeneralCapacity);
  ASSERT_TRUE(catalog().CreateCollection(ctx(), request(9)).ok());
}

}  // namespace
}  // namespace elanus::coord
