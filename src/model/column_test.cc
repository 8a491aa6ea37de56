// Columns: appending, views, nulls, array rows, encoding.
#include "model/column.h"

#include <gtest/gtest.h>

#include "base/fields.h"

namespace elanus::model {
namespace {

Column Ints(const std::vector<std::optional<int64_t>>& values) {
  Column column = MakeColumn(FieldId(100), "n", DataType::kInt64, DataType::kNone, 0);
  for (const auto& value : values) value ? column.AppendFixed(&*value) : column.AppendNull();
  return column;
}
Column Texts(const std::vector<std::optional<std::string>>& values) {
  Column column = MakeColumn(FieldId(101), "t", DataType::kVarChar, DataType::kNone, 0);
  for (const auto& value : values) value ? column.AppendBytes(*value) : column.AppendNull();
  return column;
}
std::vector<std::optional<int64_t>> IntsOf(const ColumnView& view) {
  std::vector<std::optional<int64_t>> values;
  for (size_t i = 0; i < view.rows; ++i) {
    values.push_back(view.IsValid(i) ? std::optional(view.Get<int64_t>(i)) : std::nullopt);
  }
  return values;
}
std::vector<std::optional<std::string>> TextsOf(const ColumnView& view) {
  std::vector<std::optional<std::string>> values;
  for (size_t i = 0; i < view.rows; ++i) {
    values.push_back(view.IsValid(i) ? std::optional(std::string(view.Bytes(i))) : std::nullopt);
  }
  return values;
}

const std::vector<std::optional<int64_t>> kInts = {1, std::nullopt, -3, 4};
const std::vector<std::optional<std::string>> kTexts = {"a", "", std::nullopt, "long text"};

TEST(Column, KeepsFixedAndVariableValuesWithNulls) {
  EXPECT_EQ(IntsOf(Ints(kInts).view()), kInts);
  EXPECT_EQ(TextsOf(Texts(kTexts).view()), kTexts);
}

TEST(Column, HasNoValidityBytesWithoutNullsAndZerosWhereNull) {
  EXPECT_TRUE(Ints({1, 2}).valid.empty());
  const Column column = Ints({1, std::nullopt});
  EXPECT_EQ(column.valid, (std::vector<uint8_t>{1, 0}));
  EXPECT_EQ(column.view().Get<int64_t>(1), 0);
}

TEST(Column, AnEmptyColumnHasNoOffsetsAndAOneRowColumnHasTwo) {
  EXPECT_TRUE(Texts({}).offsets.empty());
  EXPECT_EQ(Texts({""}).offsets.size(), 2u);
  EXPECT_EQ(Texts({}).view().rows, 0u);
}

TEST(Column, ASliceReadsTheMiddle) {
  const Column ints = Ints(kInts);
  const Column texts = Texts(kTexts);
  EXPECT_EQ(IntsOf(ints.view().Slice(1, 2)), (std::vector(kInts.begin() + 1, kInts.begin() + 3)));
  EXPECT_EQ(TextsOf(texts.view().Slice(2, 2)), (std::vector(kTexts.begin() + 2, kTexts.end())));
}

TEST(Column, AppendingSlicesMeansAppendingTheirRows) {
  for (size_t begin = 0; begin <= kInts.size(); ++begin) {
    for (size_t count = 0; begin + count <= kInts.size(); ++count) {
      for (bool has_nulls_before : {false, true}) {
        std::vector<std::optional<int64_t>> ints = {7};
        std::vector<std::optional<std::string>> texts = {"first"};
        if (has_nulls_before) {
          ints.push_back(std::nullopt);
          texts.push_back(std::nullopt);
        }
        Column all_ints = Ints(ints);
        Column all_texts = Texts(texts);
        Column row_texts = Texts(texts);
        const Column more_ints = Ints(kInts);
        const Column more_texts = Texts(kTexts);
        all_ints.AppendAll(more_ints.view().Slice(begin, count));
        all_texts.AppendAll(more_texts.view().Slice(begin, count));
        for (size_t i = begin; i < begin + count; ++i) row_texts.AppendRow(more_texts.view(), i);
        ints.insert(ints.end(), kInts.begin() + begin, kInts.begin() + begin + count);
        texts.insert(texts.end(), kTexts.begin() + begin, kTexts.begin() + begin + count);
        EXPECT_EQ(IntsOf(all_ints.view()), ints);
        EXPECT_EQ(TextsOf(all_texts.view()), texts);
        EXPECT_EQ(TextsOf(row_texts.view()), texts);
      }
    }
  }
}

TEST(Column, AVectorRowIsDimElementsWide) {
  Column column = MakeColumn(FieldId(102), "v", DataType::kFloatVector, DataType::kNone, 3);
  const float row[] = {1, 2, 3};
  column.AppendFixed(row);
  column.AppendFixed(row);
  EXPECT_EQ(column.width(), 12u);
  EXPECT_EQ(column.data.size(), 24u);
  EXPECT_EQ(column.view().values<float>()[5], 3);
  EXPECT_EQ(WidthOf(DataType::kBinaryVector, 16), 2u);
  EXPECT_EQ(WidthOf(DataType::kFloat16Vector, 3), 6u);
  EXPECT_EQ(WidthOf(DataType::kJson), 0u);
}

TEST(Column, SurvivesEncoding) {
  Column column = Texts(kTexts);
  column.is_dynamic = true;
  const auto decoded = Decode<Column>(Encode(column));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(TextsOf(decoded->view()), kTexts);
  EXPECT_EQ(decoded->field_id, column.field_id);
  EXPECT_TRUE(decoded->is_dynamic);
  const auto empty = Decode<Column>(Encode(Ints({})));
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->rows, 0u);
  EXPECT_EQ(empty->type, DataType::kInt64);
}

TEST(ArrayRow, HoldsPackedNumbersOrTexts) {
  EXPECT_EQ(ArraySize(DataType::kInt32, std::string(12, 'x')), 3u);
  const std::vector<std::string_view> texts = {"one", "", "three"};
  const std::string row = PackTexts(texts);
  EXPECT_EQ(ArraySize(DataType::kVarChar, row), 3u);
  EXPECT_EQ(ArrayTexts(row), texts);
  EXPECT_TRUE(ArrayTexts(PackTexts({})).empty());
  EXPECT_EQ(ArraySize(DataType::kVarChar, ""), 0u);
}

}  // namespace
}  // namespace elanus::model
