// Geometries between the wire, where they are text, and the model.
#include <gtest/gtest.h>

#include "schema.pb.h"
#include "wire/grpc/column_codec.h"
#include "wire/grpc/schema_codec.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
using model::DataType;

std::string PointWkb(double x, double y) {
  std::string bytes("\1\1\0\0\0", 5);
  for (double number : {x, y}) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  return bytes;
}

TEST(GeometryCodec, GeometriesTravelAsTextAndAreHeldInBinary) {
  pb::FieldData field;
  field.set_field_name("g");
  field.set_type(pb::DataType::Geometry);
  field.mutable_scalars()->mutable_geometry_wkt_data()->add_data("point(1 2)");
  field.mutable_scalars()->mutable_geometry_wkt_data()->add_data("LINESTRING (0 0,1 1)");
  for (bool valid : {true, false, true}) field.add_valid_data(valid);
  const auto decoded = DecodeColumn(field);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  const model::Column& column = *decoded;
  EXPECT_EQ(column.type, DataType::kGeometry);
  EXPECT_EQ(column.rows, 3u);
  EXPECT_EQ(column.view().Bytes(0), PointWkb(1, 2));
  EXPECT_FALSE(column.view().IsValid(1));
  pb::FieldData back;
  EncodeColumn(column, &back);
  EXPECT_EQ(back.type(), pb::DataType::Geometry);
  const auto& texts = back.scalars().geometry_wkt_data().data();
  EXPECT_EQ(std::vector<std::string>(texts.begin(), texts.end()),
            (std::vector<std::string>{"POINT (1 2)", "", "LINESTRING (0 0, 1 1)"}));
}

TEST(GeometryCodec, AGeometryThatIsNoneIsRefusedWithItsRow) {
  pb::FieldData field;
  field.set_field_name("g");
  field.mutable_scalars()->mutable_geometry_wkt_data()->add_data("POINT (1 2)");
  field.mutable_scalars()->mutable_geometry_wkt_data()->add_data("POINT (1 x)");
  for (bool valid : {false, true, true}) field.add_valid_data(valid);
  const auto column = DecodeColumn(field);
  EXPECT_EQ(column.status().code(), ErrorCode::kInvalidParameter);
  EXPECT_NE(column.status().message().find("field g has a row that is no geometry, row number: 2"),
            std::string_view::npos)
      << column.status().message();
}

TEST(GeometryCodec, TheDefaultOfAGeometryIsTextOutsideAndBinaryInside) {
  pb::CollectionSchema schema;
  pb::FieldSchema* field = schema.add_fields();
  field->set_name("g");
  field->set_data_type(pb::DataType::Geometry);
  field->mutable_default_value()->set_string_data("point(1 2)");
  model::CollectionInfo info{.schema = *DecodeSchema(schema)};
  EXPECT_EQ(info.schema.fields[0].default_value->as_string(), PointWkb(1, 2));
  pb::CollectionSchema back;
  EncodeSchema(info, &back);
  EXPECT_EQ(back.fields(0).default_value().string_data(), "POINT (1 2)");
  field->mutable_default_value()->set_string_data("point(1)");
  EXPECT_EQ(DecodeSchema(schema).status().code(), ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::wire
