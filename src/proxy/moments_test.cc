// Moments as clients see them: zones, parts, defaults.
#include "proxy/moments.h"

#include <gtest/gtest.h>

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;

model::CollectionInfo In(const char* zone) {
  model::CollectionInfo info;
  info.properties = {{std::string(kTimeZoneKey), zone}};
  return info;
}

Column Moments(std::vector<int64_t> values) {
  Column column = model::MakeColumn(FieldId(101), "t", DataType::kTimestamptz, DataType::kNone, 0);
  for (int64_t value : values) column.AppendFixed(&value);
  column.AppendNull();
  return column;
}

Column Texts(const char* text) {
  Column column = model::MakeColumn(FieldId(0), "t", DataType::kVarChar, DataType::kNone, 0);
  column.AppendBytes(text);
  column.AppendNull();
  return column;
}

const model::FieldSchema kField = {
    .id = FieldId(101), .name = "t", .type = DataType::kTimestamptz, .nullable = true};

TEST(Moments, AreShownInTheZoneOfTheRequestElseOfTheCollection) {
  const auto shown = [](std::vector<model::KeyValue> params) {
    std::vector<Column> columns = {Moments({0})};
    ShowMoments(*MomentFormOf(params, In("Asia/Tokyo")), columns);
    EXPECT_EQ(columns[0].type, DataType::kVarChar);
    EXPECT_EQ(columns[0].element_type, DataType::kTimestamptz);
    EXPECT_FALSE(columns[0].view().IsValid(1));
    return std::string(columns[0].view().Bytes(0));
  };
  EXPECT_EQ(shown({}), "1970-01-01T09:00:00+09:00");
  EXPECT_EQ(shown({{"timezone", ""}}), "1970-01-01T09:00:00+09:00");
  EXPECT_EQ(shown({{"timezone", "America/New_York"}}), "1969-12-31T19:00:00-05:00");
  const auto unknown = MomentFormOf({{"timezone", "Nowhere"}}, In("UTC"));
  EXPECT_EQ(unknown.status().code(), ErrorCode::kInvalidParameter);
}

TEST(Moments, AreTakenApartInTheOrderOfTheNames) {
  std::vector<Column> columns = {Moments({1'500'000})};
  ShowMoments(*MomentFormOf({{"time_fields", "microsecond, second year"}}, In("UTC")), columns);
  EXPECT_EQ(columns[0].type, DataType::kArray);
  EXPECT_EQ(columns[0].element_type, DataType::kInt64);
  const std::string_view bytes = columns[0].view().Bytes(0);
  ASSERT_EQ(bytes.size(), 24u);
  int64_t numbers[3];
  std::memcpy(numbers, bytes.data(), 24);
  EXPECT_EQ(numbers[0], 500'000);
  EXPECT_EQ(numbers[1], 1);
  EXPECT_EQ(numbers[2], 1970);
  EXPECT_FALSE(columns[0].view().IsValid(1));
  EXPECT_FALSE(MomentFormOf({{"time_fields", "year,week"}}, In("UTC")).ok());
}

TEST(Moments, ColumnsOfOtherTypesStayAsTheyAre) {
  std::vector<Column> columns = {Texts("a")};
  ShowMoments({}, columns);
  EXPECT_EQ(columns[0].element_type, DataType::kNone);
  EXPECT_EQ(columns[0].view().Bytes(0), "a");
}

TEST(Moments, AreReadFromTextsOnly) {
  Column column = Texts("1970-01-01 09:00:00");
  ASSERT_TRUE(ReadMoments(kField, *TimeZone::Of("Asia/Tokyo"), column).ok());
  EXPECT_EQ(column.type, DataType::kTimestamptz);
  EXPECT_EQ(column.view().Get<int64_t>(0), 0);
  EXPECT_FALSE(column.view().IsValid(1));
  Column bad = Texts("yesterday");
  EXPECT_EQ(ReadMoments(kField, TimeZone(), bad).code(), ErrorCode::kInvalidParameter);
  Column numbers = model::MakeColumn(FieldId(0), "t", DataType::kInt64, DataType::kNone, 0);
  EXPECT_EQ(ReadMoments(kField, TimeZone(), numbers).code(), ErrorCode::kInvalidParameter);
}

TEST(Moments, DefaultsAreReadOnceAndNumbersStay) {
  model::CollectionSchema schema;
  schema.fields = {kField, kField, kField};
  schema.fields[0].default_value = model::Scalar(std::string("1970-01-01T00:00:01"));
  schema.fields[1].default_value = model::Scalar(int64_t{7});
  ASSERT_TRUE(ReadDefaultMoments(*TimeZone::Of("Asia/Tokyo"), schema).ok());
  EXPECT_EQ(schema.fields[0].default_value->as_int(), 1'000'000 - 9 * 3'600'000'000LL);
  EXPECT_EQ(schema.fields[1].default_value->as_int(), 7);
  EXPECT_FALSE(schema.fields[2].default_value.has_value());
  schema.fields[2].default_value = model::Scalar(std::string("soon"));
  EXPECT_EQ(ReadDefaultMoments(TimeZone(), schema).code(), ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::proxy
