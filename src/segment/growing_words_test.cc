// Words of a growing segment: filters answer as if every row were analyzed, however many there are.
#include "segment/growing_words.h"

#include <gtest/gtest.h>

#include "segment/growing.h"
#include "segment/search.h"

namespace elanus::segment {
namespace {

using model::Column;
using model::DataType;

constexpr FieldId kKey{100};
constexpr FieldId kText{101};

std::shared_ptr<const model::CollectionSchema> Schema() {
  auto schema = std::make_shared<model::CollectionSchema>();
  schema->name = "c";
  schema->fields.push_back(
      {.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary_key = true});
  schema->fields.push_back(
      {.id = kText,
       .name = "text",
       .type = DataType::kVarChar,
       .nullable = true,
       .type_params = {
           {"max_length", "200"}, {"enable_analyzer", "true"}, {"enable_match", "true"}}});
  return schema;
}

// Row i: a null where i % 11 is 0, else "common w<i % 7> n<i>".
void Append(Growing& growing, int64_t begin, int64_t count) {
  std::vector<Column> columns{
      model::MakeColumn(kKey, "id", DataType::kInt64, DataType::kNone, 0),
      model::MakeColumn(kText, "text", DataType::kVarChar, DataType::kNone, 0)};
  for (int64_t i = begin; i < begin + count; ++i) {
    columns[0].AppendFixed(&i);
    if (i % 11 == 0) {
      columns[1].AppendNull();
    } else {
      columns[1].AppendBytes(fmt::format("Common w{} n{}", i % 7, i));
    }
  }
  growing.Append(columns, Timestamp(10));
}

class GrowingWordsTest : public testing::Test {
 protected:
  template <class Holds>
  void Expect(const char* filter, Holds holds) {
    const auto view = growing_.Snapshot();
    const auto plan = expr::Bind(filter, view->schema(), {});
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    const auto allowed = AllowedRows(ctx_, *view, *plan, {}, Timestamp(100));
    ASSERT_TRUE(allowed.ok()) << allowed.status().ToString();
    for (size_t row = 0; row < view->rows(); ++row) {
      const bool is_null = row % 11 == 0;
      const bool found = allowed->all || (!allowed->none && allowed->view().Test(row));
      ASSERT_EQ(found, !is_null && holds(row)) << filter << " row " << row;
    }
  }

  SystemClock clock_;
  Context ctx_{clock_};
  Growing growing_{SegmentId(1), PartitionId(2), Schema()};
};

TEST_F(GrowingWordsTest, AnswerAlikeHoweverManyRowsThereAre) {
  int64_t rows = 0;
  for (const int64_t more : {5, 1000, 19, 9000, 0, 1}) {
    Append(growing_, rows, more);
    rows += more;
    Expect("text_match(text, 'W3 w5')", [](size_t i) { return i % 7 == 3 || i % 7 == 5; });
    Expect("not text_match(text, 'w3')", [](size_t i) { return i % 7 != 3; });
    Expect("phrase_match(text, 'w2 n9')", [](size_t i) { return i == 9; });
    Expect("text_match(text, 'common n4 n1030', minimum_should_match=2)",
           [](size_t i) { return i == 4 || i == 1030; });
  }
}

TEST_F(GrowingWordsTest, AreKeptFromOneFilterToTheNext) {
  Append(growing_, 0, 5000);
  const size_t before = growing_.memory_bytes();
  Expect("text_match(text, 'w1')", [](size_t i) { return i % 7 == 1; });
  const size_t after = growing_.memory_bytes();
  EXPECT_GT(after, before);
  Expect("text_match(text, 'w2')", [](size_t i) { return i % 7 == 2; });
  EXPECT_EQ(growing_.memory_bytes(), after);
}

}  // namespace
}  // namespace elanus::segment
