// Ranges of blocks are those of their rows, however the rows come.
#include "store/formats/column_ranges.h"

#include <gtest/gtest.h>

#include "base/fields.h"

namespace elanus::store {
namespace {

using model::Column;
using model::DataType;

RangesOfBlocks RangesOf(const Column& column, size_t slice_rows) {
  RangesOfBlocks ranges;
  for (size_t at = 0; at < column.rows; at += slice_rows) {
    ranges.Add(column.view().Slice(at, std::min<size_t>(slice_rows, column.rows - at)));
  }
  ranges.Finish();
  return ranges;
}

Column Numbers(size_t rows) {
  Column column = model::MakeColumn(FieldId(7), "", DataType::kInt64, DataType::kNone, 0);
  for (size_t row = 0; row < rows; ++row) {
    const auto value = static_cast<int64_t>(row * 7 % 1000) - 300;
    if (row % 11 == 3) {
      column.AppendNull();
    } else {
      column.AppendFixed(&value);
    }
  }
  return column;
}

TEST(ColumnRanges, AreThoseOfTheRowsHoweverTheyAreCutIntoSlices) {
  const Column column = Numbers(20'000);
  for (size_t slice : {1, 1000, 8192, 20'000}) {
    RangesOfBlocks found = RangesOf(column, slice);
    const std::vector<ColumnRange>& blocks = found.Finish();
    ASSERT_EQ(blocks.size(), 3u) << slice;
    uint64_t nulls = 0;
    for (size_t block = 0; block < 3; ++block) {
      const size_t begin = block * kRangeRows;
      const auto want = model::StatsOf(
          column.view().Slice(begin, std::min<size_t>(kRangeRows, column.rows - begin)));
      EXPECT_EQ(Encode(blocks[block]), Encode(ColumnRange::Of(want))) << slice << " " << block;
      nulls += want.nulls;
    }
    EXPECT_EQ(found.whole().nulls, nulls);
    EXPECT_EQ(Encode(found.whole()), Encode(ColumnRange::Of(model::StatsOf(column.view()))));
  }
}

TEST(ColumnRanges, OfVeryLongTextsKeepNoRangeOfTheirBlockAlone) {
  Column column = model::MakeColumn(FieldId(7), "", DataType::kVarChar, DataType::kNone, 0);
  for (size_t row = 0; row < 2 * kRangeRows; ++row) {
    column.AppendBytes(row == 5 ? std::string(2000, 'x') : std::to_string(row));
  }
  RangesOfBlocks found = RangesOf(column, 100);
  EXPECT_FALSE(found.Finish()[0].has_range);
  EXPECT_TRUE(found.Finish()[1].has_range);
  EXPECT_EQ(found.Finish()[1].text_max, "9999");
  EXPECT_FALSE(found.whole().has_range) << "it would be wrong without the long one";
}

TEST(ColumnRanges, SurviveTheirBytes) {
  RangesOfBlocks found = RangesOf(Numbers(10'000), 10'000);
  const auto read = DecodeRanges(EncodeRanges(found.Finish()));
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(1).int_max, found.Finish()[1].int_max);
  EXPECT_TRUE(DecodeRanges("")->empty());
  EXPECT_EQ(DecodeRanges("\x0a\x05").status().code(), ErrorCode::kSerialization);
}

}  // namespace
}  // namespace elanus::store
