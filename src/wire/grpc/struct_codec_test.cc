// Struct fields and lists of vectors between the wire and the model.
#include "wire/grpc/struct_codec.h"

#include <gtest/gtest.h>

#include "common.pb.h"
#include "schema.pb.h"
#include "wire/grpc/column_codec.h"
#include "wire/grpc/vector_codec.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
namespace common = milvus::proto::common;
using model::Column;
using model::DataType;

// Struct "s" of two rows: {n 1, v (1 2)}, {n 2, v (3 4)}; none.
pb::FieldData TwoRows() {
  pb::FieldData field;
  field.set_field_name("s");
  field.set_type(pb::DataType::ArrayOfStruct);
  pb::FieldData* numbers = field.mutable_struct_arrays()->add_fields();
  numbers->set_field_name("n");
  numbers->set_type(pb::DataType::Array);
  auto* arrays = numbers->mutable_scalars()->mutable_array_data();
  auto* first = arrays->add_data()->mutable_long_data();
  first->add_data(1);
  first->add_data(2);
  arrays->add_data()->mutable_long_data();
  pb::FieldData* vectors = field.mutable_struct_arrays()->add_fields();
  vectors->set_field_name("v");
  vectors->set_type(pb::DataType::ArrayOfVector);
  auto* lists = vectors->mutable_vectors()->mutable_vector_array();
  lists->set_dim(2);
  lists->set_element_type(pb::DataType::FloatVector);
  for (float value : {1.0f, 2.0f, 3.0f, 4.0f}) {
    if (lists->data_size() == 0) lists->add_data();
    lists->mutable_data(0)->mutable_float_vector()->add_data(value);
  }
  lists->add_data()->mutable_float_vector();
  return field;
}

std::vector<Column> Decoded(const pb::FieldData& field) {
  std::vector<Column> columns;
  const Status status = DecodeColumns(field, columns);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return columns;
}

ErrorCode CodeOf(const pb::FieldData& field) {
  std::vector<Column> columns;
  return DecodeColumns(field, columns).code();
}

pb::VectorArray* ListsOf(pb::FieldData& field) {
  return field.mutable_struct_arrays()
      ->mutable_fields(1)
      ->mutable_vectors()
      ->mutable_vector_array();
}

TEST(StructCodec, AStructBecomesAColumnForEachSubField) {
  const std::vector<Column> columns = Decoded(TwoRows());
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].name, "s[n]");
  EXPECT_EQ(columns[0].type, DataType::kArray);
  EXPECT_EQ(ElementCount(columns[0].view(), 0), 2u);
  EXPECT_EQ(columns[1].name, "s[v]");
  EXPECT_EQ(columns[1].type, DataType::kArrayOfVector);
  EXPECT_EQ(columns[1].element_type, DataType::kFloatVector);
  EXPECT_EQ(columns[1].dim, 2u);
  EXPECT_EQ(columns[1].offsets, (std::vector<uint64_t>{0, 16, 16}));
}

TEST(StructCodec, ColumnsOfAStructComeBackAsOneField) {
  std::vector<Column> columns = Decoded(TwoRows());
  Column plain = model::MakeColumn(FieldId(100), "id", DataType::kInt64, DataType::kNone, 0);
  const int64_t id = 7;
  plain.AppendFixed(&id);
  plain.AppendFixed(&id);
  columns.push_back(plain);
  google::protobuf::RepeatedPtrField<pb::FieldData> fields;
  EncodeColumns(columns, &fields);
  ASSERT_EQ(fields.size(), 2);
  EXPECT_EQ(fields[0].type(), pb::DataType::ArrayOfStruct);
  EXPECT_EQ(fields[0].field_name(), "s");
  ASSERT_EQ(fields[0].struct_arrays().fields_size(), 2);
  EXPECT_EQ(fields[0].struct_arrays().fields(1).field_name(), "v");
  const pb::VectorArray& lists = fields[0].struct_arrays().fields(1).vectors().vector_array();
  EXPECT_EQ(lists.element_type(), pb::DataType::FloatVector);
  ASSERT_EQ(lists.data_size(), 2);
  EXPECT_EQ(lists.data(0).dim(), 2);
  EXPECT_EQ(lists.data(0).float_vector().data_size(), 4);
  EXPECT_EQ(lists.data(1).float_vector().data_size(), 0);
  EXPECT_EQ(fields[1].field_name(), "id");
}

TEST(StructCodec, ListsOfEveryElementComeBackAsTheyCame) {
  const auto kCases = std::to_array<std::pair<DataType, std::string>>({
      {DataType::kFloatVector, std::string(32, '\x01')},
      {DataType::kFloat16Vector, std::string(16, '\x02')},
      {DataType::kBFloat16Vector, std::string(16, '\x03')},
      {DataType::kInt8Vector, std::string(8, '\x04')},
      {DataType::kBinaryVector, std::string(4, '\x05')},
  });
  for (const auto& [element, bytes] : kCases) {
    const uint32_t dim = element == DataType::kBinaryVector ? 16 : 4;
    Column column = model::MakeColumn(FieldId(), "s[v]", DataType::kArrayOfVector, element, dim);
    column.AppendBytes(bytes);
    column.AppendBytes("");
    google::protobuf::RepeatedPtrField<pb::FieldData> fields;
    EncodeColumns({column}, &fields);
    const std::vector<Column> back = Decoded(fields[0]);
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(back[0].element_type, element);
    EXPECT_EQ(back[0].dim, dim);
    EXPECT_EQ(back[0].data, column.data) << NameOf(element);
    EXPECT_EQ(back[0].offsets, column.offsets);
    EXPECT_EQ(ElementCount(back[0].view(), 0), 2u);
  }
}

TEST(StructCodec, NullRowsAreLeftOutOfARequestAndEmptyInAnAnswer) {
  pb::FieldData field = TwoRows();
  for (pb::FieldData& part : *field.mutable_struct_arrays()->mutable_fields()) {
    for (bool valid : {true, false, true}) part.add_valid_data(valid);
  }
  const std::vector<Column> columns = Decoded(field);
  EXPECT_EQ(columns[0].valid, (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(columns[1].valid, (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(columns[1].rows, 3u);
  google::protobuf::RepeatedPtrField<pb::FieldData> fields;
  EncodeColumns(columns, &fields);
  const pb::FieldData& part = fields[0].struct_arrays().fields(1);
  EXPECT_EQ(part.valid_data_size(), 3);
  EXPECT_EQ(part.vectors().vector_array().data_size(), 3);
}

TEST(StructCodec, AMaskOfTheStructIsThatOfItsParts) {
  pb::FieldData field = TwoRows();
  for (bool valid : {true, false, true}) field.add_valid_data(valid);
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "the parts have none";
  for (pb::FieldData& part : *field.mutable_struct_arrays()->mutable_fields()) {
    for (bool valid : {true, false, true}) part.add_valid_data(valid);
  }
  EXPECT_EQ(Decoded(field).size(), 2u);
  field.set_valid_data(1, true);
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "another";
}

TEST(StructCodec, AStructWithoutAnyPayloadHasNoRows) {
  pb::FieldData field;
  field.set_field_name("s");
  for (const char* name : {"n", "v"}) {
    field.mutable_struct_arrays()->add_fields()->set_field_name(name);
  }
  for (const Column& column : Decoded(field)) {
    EXPECT_EQ(column.type, DataType::kNone);
    EXPECT_EQ(column.rows, 0u);
  }
  field.mutable_struct_arrays()->mutable_fields(0)->add_valid_data(false);
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "one has a mask";
}

TEST(StructCodec, ColumnsOfNullsNeedNoPayload) {
  pb::FieldData field;
  field.set_field_name("s");
  for (auto [name, type] :
       {std::pair("n", pb::DataType::Array), std::pair("v", pb::DataType::ArrayOfVector)}) {
    pb::FieldData* part = field.mutable_struct_arrays()->add_fields();
    part->set_field_name(name);
    part->set_type(type);
    part->add_valid_data(false);
  }
  for (const Column& column : Decoded(field)) {
    EXPECT_EQ(column.rows, 1u);
    EXPECT_FALSE(column.view().IsValid(0));
  }
}

TEST(StructCodec, FaultyStructsAreRefused) {
  pb::FieldData field = TwoRows();
  field.mutable_struct_arrays()->clear_fields();
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "no sub-fields";
  field = TwoRows();
  field.mutable_struct_arrays()->add_fields()->mutable_struct_arrays();
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "a struct in a struct";
  field = TwoRows();
  ListsOf(field)->mutable_data(1)->set_int8_vector("ab");
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "two types";
  field = TwoRows();
  ListsOf(field)->mutable_data(0)->set_dim(4);
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "two dims";
  field = TwoRows();
  ListsOf(field)->mutable_data(0)->mutable_sparse_float_vector();
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "sparse";
  field = TwoRows();
  ListsOf(field)->set_dim(-1);
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "a negative dim";
  field = TwoRows();
  field.mutable_struct_arrays()->mutable_fields(1)->add_valid_data(true);
  EXPECT_EQ(CodeOf(field), ErrorCode::kInvalidParameter) << "a mask of another length";
  pb::FieldData alone = TwoRows().struct_arrays().fields(0);
  alone.set_field_name("s[n]");
  EXPECT_EQ(CodeOf(alone), ErrorCode::kInvalidParameter) << "a sub-field alone";
}

TEST(StructCodec, EmbeddingListsBecomeARowEach) {
  common::PlaceholderGroup group;
  common::PlaceholderValue* placeholder = group.add_placeholders();
  placeholder->set_type(common::PlaceholderType::EmbListFloatVector);
  placeholder->add_values(std::string(24, '\0'));
  placeholder->add_values(std::string(8, '\0'));
  const auto queries = DecodeQueries(group.SerializeAsString());
  ASSERT_TRUE(queries.ok());
  EXPECT_EQ(queries->type, DataType::kArrayOfVector);
  EXPECT_EQ(queries->element_type, DataType::kFloatVector);
  EXPECT_EQ(queries->rows, 2u);
  EXPECT_EQ(queries->offsets, (std::vector<uint64_t>{0, 24, 32}));
  placeholder->set_type(common::PlaceholderType::EmbListSparseFloatVector);
  EXPECT_EQ(DecodeQueries(group.SerializeAsString()).status().code(), ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::wire
