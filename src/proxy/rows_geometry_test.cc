// Rows with geometries: their length and type, defaults, nulls.
#include <gtest/gtest.h>

#include "proxy/rows.h"
#include "proxy/testing/key_collection.h"

namespace elanus::proxy {
namespace {

using model::Column;
using model::DataType;

std::string PointWkb(double x, double y) {
  std::string bytes("\1\1\0\0\0", 5);
  for (double number : {x, y}) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  return bytes;
}

// A collection of key `id` and geometry `g`.
class GeometryRows : public KeyCollectionTest {
 protected:
  GeometryRows() { AddField({.name = "g", .type = DataType::kGeometry}); }

  static Column Shapes(DataType type, const std::vector<std::string>& values) {
    Column column = model::MakeColumn(FieldId(), "g", type, DataType::kNone, 0);
    for (const std::string& value : values) {
      if (value.empty())
        column.AppendNull();
      else
        column.AppendBytes(value);
    }
    return column;
  }
  Result<Column> Accepted(Column shapes) {
    const uint64_t rows = shapes.rows;
    Column ids = model::MakeColumn(FieldId(), "id", DataType::kInt64, DataType::kNone, 0);
    for (uint64_t i = 0; i < rows; ++i) ids.AppendFixed(&i);
    std::vector<Column> columns;
    columns.push_back(std::move(ids));
    columns.push_back(std::move(shapes));
    TRY_ASSIGN(GivenRows given, AcceptRows(cluster_->services(), info_,
                                           {.columns = std::move(columns), .num_rows = rows}));
    return std::move(given.columns.at("g"));
  }
};

TEST_F(GeometryRows, AreKeptAsTheyCome) {
  const auto column = Accepted(Shapes(DataType::kGeometry, {PointWkb(1, 2), PointWkb(3, 4)}));
  ASSERT_TRUE(column.ok()) << column.status().ToString();
  EXPECT_EQ(column->type, DataType::kGeometry);
  EXPECT_EQ(column->view().Bytes(1), PointWkb(3, 4));
}

TEST_F(GeometryRows, AreNoTextAndNothingElse) {
  EXPECT_EQ(Accepted(Shapes(DataType::kVarChar, {"POINT(1 2)"})).status().code(),
            ErrorCode::kInvalidParameter);
}

TEST_F(GeometryRows, AreNoLongerThanTheLimit) {
  const auto limit = static_cast<size_t>(ProxyOptions().geometry_bytes_max);
  EXPECT_TRUE(Accepted(Shapes(DataType::kGeometry, {std::string(limit, '1')})).ok());
  const auto column =
      Accepted(Shapes(DataType::kGeometry, {PointWkb(1, 2), std::string(limit + 1, '1')}));
  EXPECT_EQ(column.status().code(), ErrorCode::kInvalidParameter);
  EXPECT_NE(column.status().message().find("row number: 1"), std::string_view::npos)
      << column.status().message();
}

TEST_F(GeometryRows, AreNullOrTheDefaultWhereNoneIsGiven) {
  const auto given = Shapes(DataType::kGeometry, {PointWkb(1, 2), ""});
  EXPECT_EQ(Accepted(given).status().code(), ErrorCode::kInvalidParameter);
  info_.schema.fields[1].nullable = true;
  const auto with_null = Accepted(given);
  ASSERT_TRUE(with_null.ok());
  EXPECT_FALSE(with_null->view().IsValid(1));
  info_.schema.fields[1].default_value = model::Scalar(PointWkb(7, 8));
  const auto with_default = Accepted(given);
  ASSERT_TRUE(with_default.ok());
  EXPECT_EQ(with_default->view().Bytes(1), PointWkb(7, 8));
  EXPECT_EQ(FilledRows(info_.schema.fields[1], 3).view().Bytes(2), PointWkb(7, 8));
}

}  // namespace
}  // namespace elanus::proxy
