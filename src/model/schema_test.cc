// Schemas, constants, channel names: look-ups and encoding.
#include "model/schema.h"

#include <gtest/gtest.h>

#include "base/fields.h"
#include "model/channel.h"
#include "model/requests/collection.h"

namespace elanus::model {
namespace {

CollectionSchema Example() {
  FieldSchema id{
      .id = FieldId(100), .name = "id", .type = DataType::kVarChar, .is_primary_key = true};
  id.type_params = {{"max_length", "512"}};
  FieldSchema vec{.id = FieldId(101), .name = "vec", .type = DataType::kFloatVector};
  vec.type_params = {{"dim", "128"}};
  FieldSchema age{.id = FieldId(102), .name = "age", .type = DataType::kInt32, .nullable = true};
  age.default_value = Scalar(int64_t{0});
  FieldSchema tags{.id = FieldId(103),
                   .name = "tags",
                   .type = DataType::kArray,
                   .element_type = DataType::kInt8};
  tags.type_params = {{"max_capacity", "4"}};
  FieldSchema meta{
      .id = FieldId(104), .name = "$meta", .type = DataType::kJson, .is_dynamic = true};
  return {.name = "c",
          .enable_dynamic_field = true,
          .fields = {id, vec, age, tags, meta},
          .version = 3};
}

TEST(Schema, FindsFieldsAndTheirNumbers) {
  const CollectionSchema schema = Example();
  EXPECT_EQ(schema.primary_key().name, "id");
  EXPECT_EQ(schema.primary_key().max_length(), 512u);
  EXPECT_EQ(schema.FindField("vec")->dim(), 128u);
  EXPECT_EQ(schema.FindField(FieldId(103))->max_capacity(), 4u);
  EXPECT_EQ(schema.FindField("age")->dim(), 0u);
  EXPECT_EQ(schema.dynamic_field()->id, FieldId(104));
  EXPECT_EQ(schema.FindField("nothing"), nullptr);
  EXPECT_EQ(schema.FindField(FieldId(99)), nullptr);
}

TEST(Schema, SurvivesEncoding) {
  const auto decoded = Decode<CollectionSchema>(Encode(Example()));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(*decoded, Example());
}

TEST(Schema, DifferencesAreSeen) {
  CollectionSchema other = Example();
  other.fields[2].default_value.reset();
  EXPECT_NE(other, Example());
}

TEST(CollectionInfo, SurvivesEncodingAtDefaultAndNot) {
  CollectionInfo info;
  info.id = CollectionId(5);
  info.schema = Example();
  info.partitions = {{.id = PartitionId(6), .name = "_default"},
                     {.id = PartitionId(7), .name = "p"}};
  info.loaded = true;
  info.loaded_partitions = {PartitionId(7)};
  for (auto level :
       {ConsistencyLevel::kStrong, ConsistencyLevel::kBounded, ConsistencyLevel::kEventually}) {
    info.consistency_level = level;
    const auto decoded = Decode<CollectionInfo>(Encode(info));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->consistency_level, level);
    EXPECT_EQ(decoded->FindPartition("p")->id, PartitionId(7));
    EXPECT_EQ(decoded->FindPartition("q"), nullptr);
    EXPECT_TRUE(decoded->IsLoaded(PartitionId(7)));
    EXPECT_FALSE(decoded->IsLoaded(PartitionId(6)));
    EXPECT_EQ(decoded->schema, info.schema);
  }
}

TEST(KeyValues, AreFoundSetAndAdded) {
  std::vector<KeyValue> list = {{"a", "1"}};
  Put(list, "a", "2");
  Put(list, "b", "3");
  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ(*Find(list, "a"), "2");
  EXPECT_EQ(*Find(list, "b"), "3");
  EXPECT_EQ(Find(list, "c"), nullptr);
}

TEST(Scalar, EveryAlternativeSurvivesEncodingZerosIncluded) {
  const ScalarList list = {Scalar(), Scalar(int64_t{0}), Scalar(ScalarList{Scalar(true)}),
                           Scalar("x")};
  for (const Scalar& scalar : {Scalar(), Scalar(false), Scalar(true), Scalar(int64_t{0}),
                               Scalar(int64_t{-7}), Scalar(0.0), Scalar(2.5), Scalar(std::string()),
                               Scalar(std::string("text")), Scalar(ScalarList()), Scalar(list)}) {
    const auto decoded = Decode<Scalar>(Encode(scalar));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, scalar) << "alternative " << scalar.value.index();
  }
}

TEST(Channel, AVirtualChannelNamesItsPhysicalOne) {
  const std::string vchannel = MakeVChannel("elanus-dml_3", CollectionId(44), 2);
  EXPECT_EQ(vchannel, "elanus-dml_3_44v2");
  EXPECT_EQ(PChannelOf(vchannel), "elanus-dml_3");
}

TEST(DataType, NumbersAreTheWireContract) {
  EXPECT_EQ(NameOf(DataType::kJson), "JSON");
  EXPECT_EQ(static_cast<int>(DataType::kFloatVector), 101);
  EXPECT_FALSE(IsKnown(static_cast<DataType>(99)));
  EXPECT_TRUE(IsVector(DataType::kInt8Vector));
  EXPECT_FALSE(IsVector(DataType::kArrayOfStruct));
  EXPECT_EQ(MetricOf("COSINE"), Metric::kCosine);
  EXPECT_EQ(MetricOf("cosine"), std::nullopt);
}

}  // namespace
}  // namespace elanus::model
