// Statistics of blocks.
#include "model/block_stats.h"

#include <gtest/gtest.h>

#include <cmath>

namespace elanus::model {
namespace {

template <class T>
BlockStats Of(DataType type, const std::vector<T>& values, size_t nulls = 0) {
  Column column = MakeColumn(FieldId(1), "f", type, DataType::kNone, 0);
  for (size_t i = 0; i < nulls; ++i) column.AppendNull();
  for (const T& value : values) column.AppendFixed(&value);
  return StatsOf(column.view());
}

TEST(BlockStats, HoldLeastAndGreatestOfTheRowsThatHaveAValue) {
  const BlockStats ints = Of<int16_t>(DataType::kInt16, {5, -3, 9}, /*nulls=*/2);
  EXPECT_TRUE(ints.has_range);
  EXPECT_EQ(ints.nulls, 2u);
  EXPECT_EQ(ints.int_min, -3);
  EXPECT_EQ(ints.int_max, 9) << "the zeros of null rows do not count";
  const BlockStats positive = Of<int64_t>(DataType::kInt64, {5}, /*nulls=*/1);
  EXPECT_EQ(positive.int_min, 5);
}

TEST(BlockStats, SetNanApart) {
  const BlockStats reals = Of<double>(DataType::kDouble, {NAN, 2.5, -1.5});
  EXPECT_TRUE(reals.has_nan);
  EXPECT_EQ(reals.real_min, -1.5);
  EXPECT_EQ(reals.real_max, 2.5);
  EXPECT_FALSE(Of<double>(DataType::kDouble, {NAN}).has_range);
}

TEST(BlockStats, CompareTextsByteByByte) {
  Column column = MakeColumn(FieldId(1), "f", DataType::kVarChar, DataType::kNone, 0);
  for (const char* text : {"b", "", "\xff", "a"}) column.AppendBytes(text);
  const BlockStats texts = StatsOf(column.view());
  EXPECT_EQ(texts.text_min, "");
  EXPECT_EQ(texts.text_max, "\xff");
}

TEST(BlockStats, HaveTheBoxAroundGeometries) {
  const auto point = [](double x, double y) {
    std::string bytes("\1\1\0\0\0", 5);
    for (double number : {x, y}) {
      bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
    }
    return bytes;
  };
  Column column = MakeColumn(FieldId(1), "g", DataType::kGeometry, DataType::kNone, 0);
  EXPECT_TRUE(StatsOf(column.view()).box->is_empty());
  column.AppendBytes(point(1, -2));
  column.AppendNull();
  column.AppendBytes(point(NAN, NAN));  // Empty.
  column.AppendBytes(point(-3, 5));
  const BlockStats stats = StatsOf(column.view());
  EXPECT_EQ(stats.box, (Box{-3, -2, 1, 5}));
  EXPECT_EQ(stats.nulls, 1u);
  EXPECT_FALSE(stats.has_range);
  column.AppendBytes("no geometry");
  EXPECT_EQ(StatsOf(column.view()).box, std::nullopt) << "then nothing may be left out";
}

TEST(BlockStats, KnowNothingOfNoRowsAndOfTypesWithoutOrder) {
  EXPECT_FALSE(Of<int32_t>(DataType::kInt32, {}).has_range);
  EXPECT_FALSE(Of<int32_t>(DataType::kInt32, {}, /*nulls=*/3).has_range);
  Column json = MakeColumn(FieldId(1), "f", DataType::kJson, DataType::kNone, 0);
  json.AppendBytes("{}");
  EXPECT_FALSE(StatsOf(json.view()).has_range);
}

}  // namespace
}  // namespace elanus::model
