// Schemas, properties and template values between the wire and the model.
#include "wire/grpc/schema_codec.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "common.pb.h"
#include "schema.pb.h"

namespace elanus::wire {
namespace {

namespace pb = milvus::proto::schema;
using model::DataType;
using model::Scalar;
using model::ScalarList;

model::FieldSchema Field(int64_t id, const std::string& name, DataType type) {
  model::FieldSchema field;
  field.id = FieldId(id);
  field.name = name;
  field.type = type;
  return field;
}

// One field of every type that can be built, with everything a field can have.
model::CollectionInfo FullInfo() {
  model::CollectionInfo info;
  info.database = "default";
  info.properties = {{"timezone", "UTC"}, {"mmap.enabled", "true"}};
  model::CollectionSchema& schema = info.schema;
  schema.name = "full";
  schema.description = "everything";
  schema.enable_dynamic_field = true;
  schema.version = 3;
  schema.fields.push_back(Field(100, "id", DataType::kVarChar));
  schema.fields.back().is_primary_key = true;
  schema.fields.back().auto_id = true;
  schema.fields.back().type_params = {{"max_length", "64"}};
  const std::pair<DataType, Scalar> kDefaults[] = {
      {DataType::kBool, Scalar(true)},          {DataType::kInt8, Scalar(int64_t{-8})},
      {DataType::kInt16, Scalar(int64_t{-16})}, {DataType::kInt32, Scalar(int64_t{-32})},
      {DataType::kInt64, Scalar(INT64_MIN)},    {DataType::kFloat, Scalar(0.5)},
      {DataType::kDouble, Scalar(1e300)},       {DataType::kVarChar, Scalar(std::string("ä"))}};
  for (const auto& [type, value] : kDefaults) {
    const auto id = static_cast<int64_t>(100 + schema.fields.size());
    schema.fields.push_back(Field(id, "f" + std::to_string(id), type));
    schema.fields.back().nullable = true;
    schema.fields.back().default_value = value;
  }
  schema.fields.push_back(Field(109, "json", DataType::kJson));
  schema.fields.push_back(Field(110, "array", DataType::kArray));
  schema.fields.back().element_type = DataType::kVarChar;
  schema.fields.back().type_params = {{"max_length", "8"}, {"max_capacity", "4"}};
  schema.fields.push_back(Field(111, "vector", DataType::kFloatVector));
  schema.fields.back().description = "what is searched";
  schema.fields.back().type_params = {{"dim", "4"}};
  schema.fields.push_back(Field(112, "$meta", DataType::kJson));
  schema.fields.back().is_dynamic = true;
  return info;
}

pb::CollectionSchema Encoded(const model::CollectionInfo& info) {
  pb::CollectionSchema to;
  EncodeSchema(info, &to);
  return to;
}

ErrorCode CodeOf(const pb::CollectionSchema& schema) {
  return DecodeSchema(schema).status().code();
}

TEST(SchemaCodec, ADescribedSchemaCreatesTheSameCollection) {
  const model::CollectionInfo info = FullInfo();
  const auto decoded = DecodeSchema(Encoded(info));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  // A request has no ids, no version and no dynamic field: the coordinator adds them.
  model::CollectionSchema want = info.schema;
  want.version = 0;
  want.fields.pop_back();
  for (model::FieldSchema& field : want.fields) field.id = FieldId();
  ASSERT_EQ(decoded->fields.size(), want.fields.size());
  for (size_t i = 0; i < want.fields.size(); ++i)
    EXPECT_EQ(decoded->fields[i], want.fields[i]) << want.fields[i].name;
  EXPECT_EQ(*decoded, want);
}

TEST(SchemaCodec, DescribeShowsIdsVersionAndProperties) {
  const pb::CollectionSchema schema = Encoded(FullInfo());
  EXPECT_EQ(schema.fields(0).fieldid(), 100);
  EXPECT_EQ(schema.version(), 3);
  EXPECT_EQ(schema.dbname(), "default");
  EXPECT_TRUE(schema.autoid()) << "old clients read it here";
  ASSERT_EQ(schema.properties_size(), 4);
  EXPECT_EQ(schema.properties(1).key(), "mmap.enabled");
  EXPECT_EQ(schema.properties(1).value(), "true");
  EXPECT_EQ(schema.properties(2).key(), "max_field_id");
  EXPECT_EQ(schema.properties(2).value(), std::to_string(FullInfo().schema.highest_field_id()));
  EXPECT_EQ(schema.properties(3).key(), "namespace.sharding.enabled");
  EXPECT_EQ(schema.properties(3).value(), "false");
  for (const auto& field : schema.fields()) EXPECT_NE(field.name(), "$meta");
}

TEST(SchemaCodec, DefaultMomentsAreShownByTheCollectionsClock) {
  model::CollectionInfo info = FullInfo();
  info.properties = {{"timezone", "Asia/Tokyo"}};
  info.schema.fields[1].type = DataType::kTimestamptz;
  info.schema.fields[1].default_value = Scalar(int64_t{500'000});
  const pb::CollectionSchema described = Encoded(info);
  const pb::ValueField& shown = described.fields(1).default_value();
  EXPECT_EQ(shown.string_data(), "1970-01-01T09:00:00.5+09:00");
  pb::CollectionSchema sent = Encoded(info);
  sent.mutable_fields(1)->mutable_default_value()->set_timestamptz_data(7);
  const auto decoded = DecodeSchema(sent);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->fields[1].default_value->as_int(), 7);
}

TEST(SchemaCodec, MarksThatAreJudgedLaterReachTheJudge) {
  pb::CollectionSchema schema;
  auto* field = schema.add_fields();
  field->set_is_partition_key(true);
  field->set_is_clustering_key(true);
  field->set_is_dynamic(true);
  field->set_data_type(static_cast<pb::DataType>(4242));
  const auto decoded = DecodeSchema(schema);
  ASSERT_TRUE(decoded.ok());
  EXPECT_TRUE(decoded->fields[0].is_partition_key);
  EXPECT_TRUE(decoded->fields[0].is_clustering_key);
  EXPECT_TRUE(decoded->fields[0].is_dynamic);
  EXPECT_FALSE(model::IsKnown(decoded->fields[0].type));
}

TEST(SchemaCodec, PartsThatAreNotBuiltSaySo) {
  const std::function<void(pb::CollectionSchema*)> kParts[] = {
      [](pb::CollectionSchema* to) { to->set_external_source("s3://x"); },
      [](pb::CollectionSchema* to) { to->set_external_spec("{}"); },
      [](pb::CollectionSchema* to) { to->set_enable_namespace(true); },
      [](pb::CollectionSchema* to) { to->add_fields()->set_external_field("x"); },
  };
  for (const auto& part : kParts) {
    pb::CollectionSchema schema = Encoded(FullInfo());
    part(&schema);
    EXPECT_EQ(CodeOf(schema), ErrorCode::kUnimplemented) << schema.ShortDebugString();
  }
}

TEST(SchemaCodec, StructsBecomeFieldsOfTheirNamesAndComeBack) {
  pb::CollectionSchema schema;
  schema.add_fields()->set_name("id");
  auto* clip = schema.add_struct_array_fields();
  clip->set_name("clips");
  clip->set_description("what was seen");
  clip->set_nullable(true);
  auto* label = clip->add_fields();
  label->set_name("label");
  label->set_data_type(pb::DataType::Array);
  label->set_element_type(pb::DataType::VarChar);
  auto* embedding = clip->add_fields();
  embedding->set_name("embedding");
  embedding->set_data_type(pb::DataType::ArrayOfVector);
  embedding->set_element_type(pb::DataType::FloatVector);
  auto* dim = embedding->add_type_params();
  dim->set_key("dim");
  dim->set_value("4");
  const auto decoded = DecodeSchema(schema);
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->structs.size(), 1u);
  EXPECT_TRUE(decoded->structs[0].nullable);
  ASSERT_EQ(decoded->fields.size(), 3u);
  const model::FieldSchema& field = decoded->fields[2];
  EXPECT_EQ(field.name, "clips[embedding]");
  EXPECT_EQ(field.struct_name, "clips");
  EXPECT_EQ(field.bare_name(), "embedding");
  EXPECT_EQ(field.vector_type(), DataType::kFloatVector);
  EXPECT_TRUE(field.nullable);
  EXPECT_FALSE(decoded->fields[0].is_sub_field());

  model::CollectionInfo info;
  info.schema = *decoded;
  const pb::CollectionSchema back = Encoded(info);
  EXPECT_EQ(back.fields_size(), 1);
  ASSERT_EQ(back.struct_array_fields_size(), 1);
  EXPECT_EQ(back.struct_array_fields(0).name(), "clips");
  EXPECT_EQ(back.struct_array_fields(0).description(), "what was seen");
  ASSERT_EQ(back.struct_array_fields(0).fields_size(), 2);
  EXPECT_EQ(back.struct_array_fields(0).fields(1).name(), "embedding");
  EXPECT_EQ(back.struct_array_fields(0).fields(1).type_params(0).value(), "4");
}

TEST(SchemaCodec, DefaultsOfUnknownTypeAreRefusedAndEmptyOnesAreNone) {
  pb::CollectionSchema schema;
  schema.add_fields()->mutable_default_value()->set_bytes_data("x");
  EXPECT_EQ(CodeOf(schema), ErrorCode::kInvalidParameter);
  schema.mutable_fields(0)->mutable_default_value()->set_timestamptz_data(5);
  EXPECT_EQ(CodeOf(schema), ErrorCode::kInvalidParameter);
  schema.mutable_fields(0)->mutable_default_value()->Clear();
  ASSERT_EQ(CodeOf(schema), ErrorCode::kOk);
  EXPECT_FALSE(DecodeSchema(schema)->fields[0].default_value.has_value());
}

TEST(SchemaCodec, PairsKeepTheirOrderAndTheirDoubles) {
  const std::vector<model::KeyValue> pairs = {{"b", "1"}, {"a", ""}, {"b", "2"}};
  KeyValuePairs wire;
  EncodePairs(pairs, &wire);
  EXPECT_EQ(DecodePairs(wire), pairs);
}

TEST(SchemaCodec, DamagedSchemasAreDecodedOrRefused) {
  const google::protobuf::LogSilencer silence;
  const std::string whole = Encoded(FullInfo()).SerializeAsString();
  std::mt19937 random(11);
  int decoded = 0, refused = 0;
  const auto judge = [&](const std::string& bytes) {
    pb::CollectionSchema schema;
    if (!schema.ParseFromString(bytes)) return;
    const ErrorCode code = CodeOf(schema);
    EXPECT_TRUE(code == ErrorCode::kOk || code == ErrorCode::kInvalidParameter ||
                code == ErrorCode::kUnimplemented);
    ++(code == ErrorCode::kOk ? decoded : refused);
  };
  for (size_t end = 0; end < whole.size(); ++end) judge(whole.substr(0, end));
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = whole;
    for (uint32_t i = 0; i <= random() % 3; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    judge(bytes);
  }
  EXPECT_GT(decoded, 1000);
  EXPECT_GT(refused, 10);
}

Scalar Template(const pb::TemplateValue& value) {
  const auto scalar = DecodeTemplate(value);
  EXPECT_TRUE(scalar.ok()) << scalar.status().ToString();
  return scalar.ok() ? *scalar : Scalar();
}

TEST(TemplateValues, OfEveryTypeAreDecoded) {
  pb::TemplateValue value;
  value.set_bool_val(true);
  EXPECT_EQ(Template(value), Scalar(true));
  value.set_int64_val(INT64_MIN);
  EXPECT_EQ(Template(value), Scalar(INT64_MIN));
  value.set_float_val(0.25);
  EXPECT_EQ(Template(value), Scalar(0.25));
  value.set_string_val("ä");
  EXPECT_EQ(Template(value), Scalar(std::string("ä")));
}

TEST(TemplateValues, ArraysOfEveryTypeAreDecoded) {
  pb::TemplateValue value;
  auto* array = value.mutable_array_val();
  EXPECT_EQ(Template(value), Scalar(ScalarList{}));
  array->mutable_bool_data()->add_data(true);
  EXPECT_EQ(Template(value), Scalar(ScalarList{true}));
  array->mutable_long_data()->add_data(7);
  EXPECT_EQ(Template(value), Scalar(ScalarList{int64_t{7}}));
  array->mutable_double_data()->add_data(0.5);
  EXPECT_EQ(Template(value), Scalar(ScalarList{0.5}));
  array->mutable_string_data()->add_data("x");
  EXPECT_EQ(Template(value), Scalar(ScalarList{std::string("x")}));
  array->mutable_array_data()->add_data()->mutable_long_data()->add_data(1);
  EXPECT_EQ(Template(value), Scalar(ScalarList{ScalarList{int64_t{1}}}));
  auto* json = array->mutable_json_data();
  for (const char* text : {"true", "-3", "18446744073709551615", "\"x\"", "[1, [2.5]]"})
    json->add_data(text);
  EXPECT_EQ(Template(value),
            Scalar(ScalarList{true, int64_t{-3}, 18446744073709551615.0, std::string("x"),
                              ScalarList{int64_t{1}, ScalarList{2.5}}}));
}

TEST(TemplateValues, WithoutATypeOrWithBadJsonAreRefused) {
  EXPECT_EQ(DecodeTemplate({}).status().code(), ErrorCode::kInvalidParameter);
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("null"), std::string("{\"a\":1}"),
        std::string("[null]"), std::string("\"\xC3\""), std::string(100'000, '['),
        std::string(150, '[') + std::string(150, ']')}) {
    pb::TemplateValue value;
    value.mutable_array_val()->mutable_json_data()->add_data(text);
    EXPECT_EQ(DecodeTemplate(value).status().code(), ErrorCode::kInvalidParameter)
        << text.substr(0, 20);
  }
}

TEST(TemplateValues, NestedDeeperThanAMessageMayBeAreNoMessage) {
  pb::TemplateValue value;
  auto* array = value.mutable_array_val();
  for (int depth = 0; depth < 1000; ++depth) array = array->mutable_array_data()->add_data();
  EXPECT_FALSE(pb::TemplateValue().ParseFromString(value.SerializeAsString()));
}

}  // namespace
}  // namespace elanus::wire
