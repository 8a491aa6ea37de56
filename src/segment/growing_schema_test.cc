// Growing segments whose schema changes: what rows hold in new fields, and what readers of older
// versions still find.
#include <gtest/gtest.h>

#include "segment/growing.h"

namespace elanus::segment {
namespace {

using model::DataType;

using Schema = std::shared_ptr<const model::CollectionSchema>;

Schema First() {
  auto schema = std::make_shared<model::CollectionSchema>();
  schema->name = "c";
  schema->fields = {
      {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true},
      {.id = FieldId(101), .name = "old", .type = DataType::kInt64, .nullable = true}};
  return schema;
}

// "old" goes, "new" (nullable), "text" (with a default) and "vec" (nullable) come.
Schema Second() {
  auto schema = std::make_shared<model::CollectionSchema>(*First());
  schema->version = 1;
  schema->fields.erase(schema->fields.begin() + 1);
  schema->fields.push_back(
      {.id = FieldId(102), .name = "new", .type = DataType::kInt64, .nullable = true});
  model::FieldSchema text{
      .id = FieldId(103), .name = "text", .type = DataType::kVarChar, .nullable = true};
  text.default_value = model::Scalar(std::string("as ever"));
  schema->fields.push_back(text);
  schema->fields.push_back({.id = FieldId(104),
                            .name = "vec",
                            .type = DataType::kFloatVector,
                            .nullable = true,
                            .type_params = {{"dim", "4"}}});
  return schema;
}

model::Column Numbers(FieldId id, int64_t first, int64_t count) {
  model::Column column = model::MakeColumn(id, "n", DataType::kInt64, DataType::kNone, 0);
  for (int64_t i = first; i < first + count; ++i) column.AppendFixed(&i);
  return column;
}

// 10,000 rows, more than a chunk; then the schema changes; then 10 more.
class GrowingSchemaTest : public testing::Test {
 protected:
  static constexpr int64_t kOld = 10'000;

  void SetUp() override {
    growing_.Append(std::vector{Numbers(FieldId(100), 0, kOld), Numbers(FieldId(101), 0, kOld)},
                    Timestamp(10));
    before_ = growing_.Snapshot();
    growing_.SetSchema(second_);
    growing_.Append(std::vector{Numbers(FieldId(100), kOld, 10), Numbers(FieldId(102), 7, 10)},
                    Timestamp(20));
  }

  const Schema first_ = First();
  const Schema second_ = Second();
  Growing growing_{SegmentId(1), PartitionId(2), first_};
  std::shared_ptr<const SegmentView> before_;
};

TEST_F(GrowingSchemaTest, OldRowsAreNullOrHaveTheDefault) {
  const auto view = growing_.Snapshot();
  EXPECT_EQ(view->schema().version, 1);
  for (size_t row : {size_t{0}, size_t{8191}, size_t{8192}, size_t{9999}}) {
    EXPECT_FALSE(view->Read(FieldId(102), row, 1)->IsValid(0)) << row;
    EXPECT_EQ(view->Read(FieldId(103), row, 1)->Bytes(0), "as ever") << row;
    EXPECT_FALSE(view->Read(FieldId(104), row, 1)->IsValid(0)) << row;
  }
  EXPECT_EQ(view->Read(FieldId(102), kOld, 1)->Get<int64_t>(0), 7);
  EXPECT_EQ(view->Read(FieldId(103), kOld, 1)->Bytes(0), "as ever");
  EXPECT_TRUE(view->RowsWithVector(FieldId(104)).none);
}

TEST_F(GrowingSchemaTest, ReadersOfTheOldVersionFindWhatItHad) {
  EXPECT_EQ(before_->rows(), static_cast<size_t>(kOld));
  EXPECT_EQ(before_->Read(FieldId(101), 9, 1)->Get<int64_t>(0), 9);
  EXPECT_EQ(before_->Read(FieldId(102), 9, 1).status().code(), ErrorCode::kFieldNotFound);
  const auto older = growing_.Snapshot(first_);
  EXPECT_EQ(older->schema().version, 0);
  EXPECT_EQ(older->rows(), static_cast<size_t>(kOld + 10));
  EXPECT_EQ(older->Read(FieldId(101), 9, 1)->Get<int64_t>(0), 9);
  EXPECT_FALSE(older->Read(FieldId(101), kOld, 1)->IsValid(0)) << "written without it";
  EXPECT_EQ(growing_.Snapshot(second_)->schema().version, 1);
}

TEST_F(GrowingSchemaTest, WritersOfTheOldVersionLeaveTheNewFieldsToBeFilled) {
  growing_.Append(std::vector{Numbers(FieldId(100), 20'000, 1), Numbers(FieldId(101), 5, 1)},
                  Timestamp(30));
  const auto view = growing_.Snapshot();
  const size_t row = view->rows() - 1;
  EXPECT_FALSE(view->Read(FieldId(102), row, 1)->IsValid(0));
  EXPECT_EQ(view->Read(FieldId(103), row, 1)->Bytes(0), "as ever");
}

TEST_F(GrowingSchemaTest, TheExportHasTheFieldsOfTheNewestVersion) {
  std::vector<model::Column> columns;
  std::vector<uint64_t> timestamps;
  growing_.Export(columns, timestamps);
  ASSERT_EQ(columns.size(), 4u);
  for (size_t i = 0; i < columns.size(); ++i) {
    EXPECT_EQ(columns[i].field_id, second_->fields[i].id);
    EXPECT_EQ(columns[i].rows, static_cast<size_t>(kOld + 10));
  }
  EXPECT_EQ(columns[1].view().Get<int64_t>(kOld + 9), 16);
  EXPECT_FALSE(columns[1].view().IsValid(0));
}

// A text field whose words a function counts in a field that comes later.
class GrowingFunctionTest : public testing::Test {
 protected:
  static constexpr int64_t kOld = 9'000;  // More than a chunk.

  GrowingFunctionTest() {
    auto first = std::make_shared<model::CollectionSchema>();
    first->fields = {
        {.id = FieldId(100), .name = "id", .type = DataType::kInt64, .is_primary_key = true},
        {.id = FieldId(101),
         .name = "text",
         .type = DataType::kVarChar,
         .type_params = {{"enable_analyzer", "true"}}}};
    auto second = std::make_shared<model::CollectionSchema>(*first);
    second->version = 1;
    second->fields.push_back({.id = FieldId(102),
                              .name = "counts",
                              .type = DataType::kSparseFloatVector,
                              .is_function_output = true});
    second->functions = {{.name = "count",
                          .type = model::FunctionType::kBm25,
                          .inputs = {"text"},
                          .outputs = {"counts"}}};
    first_ = first;
    second_ = second;
  }

  static std::vector<model::Column> Rows(int64_t first, int64_t count) {
    model::Column texts =
        model::MakeColumn(FieldId(101), "text", DataType::kVarChar, DataType::kNone, 0);
    for (int64_t i = first; i < first + count; ++i) {
      texts.AppendBytes(i % 2 == 0 ? "even number" : "odd");
    }
    return {Numbers(FieldId(100), first, count), std::move(texts)};
  }

  Schema first_, second_;
};

TEST_F(GrowingFunctionTest, OldRowsGetWhatTheFunctionMakesOfThem) {
  Growing growing(SegmentId(1), PartitionId(2), first_);
  growing.Append(Rows(0, kOld), Timestamp(10));
  growing.SetSchema(second_);
  // Written by the older schema, or replayed.
  growing.Append(Rows(kOld, 10), Timestamp(20));
  const auto view = growing.Snapshot();
  for (size_t row : {size_t{0}, size_t{8191}, size_t{8192}, size_t{9005}}) {
    const auto counts = view->Read(FieldId(102), row, 1);
    ASSERT_TRUE(counts.ok());
    EXPECT_EQ(counts->Bytes(0).size(), row % 2 == 0 ? 16u : 8u) << row;
  }
  EXPECT_FALSE(view->RowsWithVector(FieldId(102)).none);
  EXPECT_EQ(view->RowsWithVector(FieldId(102)).rows, nullptr) << "all of them";
  model::TermTotals totals;
  view->AddTermTotals(FieldId(102), {}, totals);
  EXPECT_EQ(totals.rows, static_cast<uint64_t>(kOld + 10));
  EXPECT_EQ(totals.tokens, 1.5 * (kOld + 10));
  std::vector<model::Column> columns;
  std::vector<uint64_t> timestamps;
  growing.Export(columns, timestamps);
  EXPECT_EQ(columns.size(), 3u);
}

TEST_F(GrowingFunctionTest, AFieldThatCannotBeMadeHereIsLeftOutOfTheFiles) {
  auto broken = std::make_shared<model::CollectionSchema>(*second_);
  broken->fields[1].type_params.push_back({"analyzer_params", R"({"tokenizer": "no such"})"});
  Growing growing(SegmentId(1), PartitionId(2), first_);
  growing.Append(Rows(0, 10), Timestamp(10));
  growing.SetSchema(broken);
  EXPECT_TRUE(growing.Snapshot()->RowsWithVector(FieldId(102)).none);
  std::vector<model::Column> columns;
  std::vector<uint64_t> timestamps;
  growing.Export(columns, timestamps);
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[1].field_id, FieldId(101));
  EXPECT_EQ(timestamps.size(), 10u);
}

}  // namespace
}  // namespace elanus::segment
