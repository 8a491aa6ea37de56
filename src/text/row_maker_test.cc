// New and old rows get the same from a function.
#include "text/row_maker.h"

#include <gtest/gtest.h>

#include "model/back_fill.h"
#include "text/bm25.h"

namespace elanus::text {
namespace {

using model::DataType;

model::CollectionSchema Schema() {
  model::CollectionSchema schema;
  schema.fields = {{.id = FieldId(100), .name = "id", .type = DataType::kInt64},
                   {.id = FieldId(101),
                    .name = "text",
                    .type = DataType::kVarChar,
                    .type_params = {{"enable_analyzer", "true"}}},
                   {.id = FieldId(102),
                    .name = "counts",
                    .type = DataType::kSparseFloatVector,
                    .is_function_output = true},
                   {.id = FieldId(103),
                    .name = "sign",
                    .type = DataType::kBinaryVector,
                    .is_function_output = true,
                    .type_params = {{"dim", "64"}}}};
  schema.functions = {{.name = "count",
                       .type = model::FunctionType::kBm25,
                       .inputs = {"text"},
                       .outputs = {"counts"}},
                      {.name = "sign",
                       .type = model::FunctionType::kMinHash,
                       .inputs = {"text"},
                       .outputs = {"sign"}}};
  return schema;
}

model::Column Texts() {
  model::Column texts =
      model::MakeColumn(FieldId(101), "text", DataType::kVarChar, DataType::kNone, 0);
  texts.AppendBytes("cat and cat");
  texts.AppendNull();
  texts.AppendBytes("");
  return texts;
}

std::string CountsOf(std::string_view text) {
  Tokens tokens;
  model::FieldSchema field = Schema().fields[1];
  (*AnalyzerOf(field))->Analyze(text, tokens);
  return CountTerms(tokens);
}

TEST(RowMakerTest, CountsTheTermsOfEachText) {
  const model::CollectionSchema schema = Schema();
  const auto maker = RowMaker::Of(schema, schema.fields[2]);
  ASSERT_TRUE(maker.ok()) << maker.status().ToString();
  EXPECT_EQ(maker->input(), FieldId(101));
  EXPECT_EQ(maker->analyzer_names(), FieldId());
  const model::Column texts = Texts();
  const model::Column made = maker->Make(texts.view(), nullptr);
  ASSERT_EQ(made.rows, 3u);
  EXPECT_EQ(made.view().Bytes(0), CountsOf("cat and cat"));
  EXPECT_EQ(made.view().Bytes(1), "") << "a null text has no terms";
  EXPECT_EQ(made.view().Bytes(2), "");
  EXPECT_TRUE(made.valid.empty());
}

TEST(RowMakerTest, SignsEachText) {
  const model::CollectionSchema schema = Schema();
  const auto maker = RowMaker::Of(schema, schema.fields[3]);
  ASSERT_TRUE(maker.ok()) << maker.status().ToString();
  const model::Column texts = Texts();
  const model::Column made = maker->Make(texts.view(), nullptr);
  const auto hasher = MinHasher::Of(schema.functions[1], schema.fields[1], schema.fields[3]);
  EXPECT_EQ(made.view().Bytes(0), hasher->Sign("cat and cat"));
  EXPECT_EQ(made.view().Bytes(1), std::string(8, '\xff'));
}

TEST(RowMakerTest, TakesTheAnalyzerThatTheRowNames) {
  model::CollectionSchema schema = Schema();
  schema.fields[1].type_params.push_back(
      {"multi_analyzer_params",
       R"({"by_field": "id", "analyzers": {"default": {}, "whole": {"tokenizer": "whitespace"}}})"});
  const auto maker = RowMaker::Of(schema, schema.fields[2]);
  ASSERT_TRUE(maker.ok()) << maker.status().ToString();
  EXPECT_EQ(maker->analyzer_names(), FieldId(100));
  model::Column texts =
      model::MakeColumn(FieldId(101), "text", DataType::kVarChar, DataType::kNone, 0);
  model::Column names = texts;
  for (const char* name : {"whole", "unknown"}) {
    texts.AppendBytes("A-b");
    names.AppendBytes(name);
  }
  const model::ColumnView names_view = names.view();
  const model::Column named = maker->Make(texts.view(), &names_view);
  EXPECT_EQ(named.view().Bytes(0).size(), 8u) << "one token";
  EXPECT_EQ(named.view().Bytes(1).size(), 16u) << "two tokens";
  EXPECT_EQ(maker->Make(texts.view(), nullptr).view().Bytes(0).size(), 16u);
}

TEST(RowMakerTest, OtherFieldsAreMadeOfNothing) {
  const model::CollectionSchema schema = Schema();
  EXPECT_EQ(RowMaker::Of(schema, schema.fields[1]).status().code(), ErrorCode::kInvalidParameter);
}

TEST(BackFillTest, ASegmentLacksWhatItHasNoFilesOf) {
  const model::CollectionSchema schema = Schema();
  const std::vector<FieldId> both = {FieldId(102), FieldId(103)};
  EXPECT_EQ(model::FieldsToFill(schema, {.fields = {FieldId(100), FieldId(101)}}), both);
  EXPECT_EQ(model::FieldsToFill(schema, {.fields = {FieldId(102), FieldId(100)}}),
            std::vector{FieldId(103)});
  EXPECT_TRUE(model::FieldsToFill(schema, {.fields = both}).empty());
  model::CollectionSchema without = schema;
  without.functions.clear();
  EXPECT_TRUE(model::FieldsToFill(without, {}).empty());
}

}  // namespace
}  // namespace elanus::text
