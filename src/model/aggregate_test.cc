// Aggregates over parts agree with one pass; groups of hits keep the best.
#include "model/aggregate.h"

#include <gtest/gtest.h>

#include <limits>

#include "model/groups.h"

namespace elanus::model {
namespace {

constexpr FieldId kGroup(101);
constexpr FieldId kNumber(102);

Column Ints(DataType type, const std::vector<std::optional<int64_t>>& values) {
  Column column = MakeColumn(kNumber, "n", type, DataType::kNone, 0);
  for (const auto& value : values) {
    if (value)
      column.AppendFixed(&*value);
    else
      column.AppendNull();
  }
  return column;
}

Column Texts(const std::vector<std::optional<std::string>>& values) {
  Column column = MakeColumn(kGroup, "g", DataType::kVarChar, DataType::kNone, 0);
  for (const auto& value : values) {
    if (value)
      column.AppendBytes(*value);
    else
      column.AppendNull();
  }
  return column;
}

std::vector<Aggregate> Every(DataType type) {
  std::vector<Aggregate> all = {{.op = AggregateOp::kCount, .field = {}}};
  for (AggregateOp op : {AggregateOp::kCount, AggregateOp::kSum, AggregateOp::kAvg,
                         AggregateOp::kMin, AggregateOp::kMax}) {
    all.push_back({.op = op, .field = kNumber, .type = type});
  }
  return all;
}

Status AddAll(Aggregator& sums, const std::vector<Column>& group, const Column& values,
              size_t aggregates) {
  const std::vector<ColumnView> groups = ViewsOf(group);
  const std::vector<ColumnView> views(aggregates, values.view());
  for (size_t row = 0; row < values.rows; ++row) TRY(sums.Add(groups, views, row));
  return {};
}

TEST(Aggregator, SkipsNullsAndKeepsTheTypesOfTheField) {
  Aggregator sums({}, Every(DataType::kInt16), 10);
  ASSERT_TRUE(AddAll(sums, {}, Ints(DataType::kInt16, {3, std::nullopt, -5, 4}), 6).ok());
  const std::vector<Column> out = sums.Finish();
  EXPECT_EQ(out[0].view().Get<int64_t>(0), 4);
  EXPECT_EQ(out[1].view().Get<int64_t>(0), 3);
  EXPECT_EQ(out[2].view().Get<int64_t>(0), 2);
  EXPECT_DOUBLE_EQ(out[3].view().Get<double>(0), 2.0 / 3);
  EXPECT_EQ(out[4].type, DataType::kInt16);
  EXPECT_EQ(out[4].view().Get<int16_t>(0), -5);
  EXPECT_EQ(out[5].view().Get<int16_t>(0), 4);
}

TEST(Aggregator, WithoutRowsThereIsOneGroupOfNothing) {
  const Aggregator sums({}, Every(DataType::kDouble), 10);
  const std::vector<Column> out = sums.Finish();
  EXPECT_EQ(out[0].rows, 1u);
  EXPECT_EQ(out[0].view().Get<int64_t>(0), 0);
  for (size_t i : {2, 3, 4, 5}) EXPECT_FALSE(out[i].view().IsValid(0));
}

TEST(Aggregator, WithGroupsAndWithoutRowsThereIsNone) {
  const Aggregator sums({Texts({})}, Every(DataType::kDouble), 10);
  EXPECT_EQ(sums.Finish()[0].rows, 0u);
}

TEST(Aggregator, PartsMergeToTheSameAsOnePass) {
  const std::vector<Column> groups = {Texts({"a", "b", std::nullopt, "a", "", std::nullopt})};
  const Column values = Ints(DataType::kInt64, {1, 2, 3, 4, 5, std::nullopt});
  const std::vector<Aggregate> every = Every(DataType::kInt64);
  Aggregator whole({Texts({})}, every, 10);
  ASSERT_TRUE(AddAll(whole, groups, values, every.size()).ok());
  Aggregator merged({Texts({})}, every, 10);
  for (size_t begin : {0, 3}) {
    Aggregator part({Texts({})}, every, 10);
    Column group = Texts({});
    group.AppendAll(groups[0].view().Slice(begin, 3));
    Column some = Ints(DataType::kInt64, {});
    some.AppendAll(values.view().Slice(begin, 3));
    ASSERT_TRUE(AddAll(part, {group}, some, every.size()).ok());
    ASSERT_TRUE(merged.Merge(part.Partial()).ok());
  }
  const std::vector<Column> expected = whole.Finish();
  const std::vector<Column> got = merged.Finish();
  ASSERT_EQ(got[0].rows, 4u) << "null and the empty text are groups of their own";
  for (size_t c = 0; c < expected.size(); ++c) {
    EXPECT_EQ(got[c].data, expected[c].data) << "column " << c;
    EXPECT_EQ(got[c].valid, expected[c].valid) << "column " << c;
  }
}

TEST(Aggregator, TheLeastTextIsFoundBytewise) {
  Column values = MakeColumn(kNumber, "n", DataType::kVarChar, DataType::kNone, 0);
  for (const char* text : {"b", "", "\xc3\xa9"}) values.AppendBytes(text);
  const std::vector<Aggregate> ends = {
      {.op = AggregateOp::kMin, .field = kNumber, .type = DataType::kVarChar},
      {.op = AggregateOp::kMax, .field = kNumber, .type = DataType::kVarChar}};
  Aggregator sums({}, ends, 10);
  ASSERT_TRUE(AddAll(sums, {}, values, 2).ok());
  const std::vector<Column> out = sums.Finish();
  EXPECT_EQ(out[0].view().Bytes(0), "");
  EXPECT_EQ(out[1].view().Bytes(0), "\xc3\xa9");
}

TEST(Aggregator, TooManyGroupsAndSumsOutOfRangeAreErrors) {
  Aggregator few({Texts({})}, {}, 2);
  const std::vector<Column> groups = {Texts({"a", "b", "c"})};
  const Status many = AddAll(few, groups, Ints(DataType::kInt64, {1, 2, 3}), 0);
  EXPECT_EQ(many.code(), ErrorCode::kSegcore);
  Aggregator sums({}, Every(DataType::kInt64), 2);
  const Status far =
      AddAll(sums, {}, Ints(DataType::kInt64, {std::numeric_limits<int64_t>::max(), 1}), 6);
  EXPECT_EQ(far.code(), ErrorCode::kSegcore);
}

TEST(Groups, KeepTheFirstGroupsAndTheFirstHitsOfEach) {
  Groups groups(2, 2);
  EXPECT_TRUE(groups.Add("a", 0));
  EXPECT_TRUE(groups.Add("b", 1));
  EXPECT_TRUE(groups.has_all_groups());
  EXPECT_FALSE(groups.Add("c", 2));
  EXPECT_TRUE(groups.Add("a", 3));
  EXPECT_FALSE(groups.Add("a", 4));
  EXPECT_FALSE(groups.is_full());
  EXPECT_TRUE(groups.Add("b", 5));
  EXPECT_TRUE(groups.is_full());
  EXPECT_EQ(groups.members(), (std::vector<std::vector<uint32_t>>{{0, 3}, {1, 5}}));
}

TEST(GroupText, TellsTextsOfSeveralColumnsApart) {
  const std::vector<Column> a = {Texts({"ab", std::nullopt}), Texts({"c", ""})};
  const std::vector<Column> b = {Texts({"a", ""}), Texts({"bc", std::nullopt})};
  EXPECT_NE(GroupText(ViewsOf(a), 0), GroupText(ViewsOf(b), 0));
  EXPECT_NE(GroupText(ViewsOf(a), 1), GroupText(ViewsOf(b), 1));
}

}  // namespace
}  // namespace elanus::model
