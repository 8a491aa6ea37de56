// The rules of names, numbers and schemas, one by one, with their codes.
#include "proxy/checks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace elanus::proxy {
namespace {

using model::DataType;

const ProxyOptions kOptions;

TEST(Names, BeginWithALetterAndHoldLettersDigitsUnderscores) {
  for (const char* good : {"a", "_x9", "Abc_1"})
    EXPECT_TRUE(CheckName(kOptions, "collection name", good).ok()) << good;
  for (const char* bad : {"", "9a", "a-b", "a b", "$a", "a.b", "ä"}) {
    EXPECT_EQ(CheckName(kOptions, "collection name", bad).code(), ErrorCode::kInvalidParameter)
        << bad;
  }
  EXPECT_TRUE(CheckName(kOptions, "n", std::string(255, 'a')).ok());
  EXPECT_FALSE(CheckName(kOptions, "n", std::string(256, 'a')).ok());
}

TEST(Names, OfPartitionsMayBeginWithADigitAndHoldHyphens) {
  EXPECT_EQ(*PartitionNamed(kOptions, "2024-01"), "2024-01");
  EXPECT_EQ(*PartitionNamed(kOptions, "\t a \n"), "a");
  for (const char* bad : {"", " ", "-a", "a b", "a.b"})
    EXPECT_FALSE(PartitionNamed(kOptions, bad).ok()) << bad;
}

TEST(Names, OfSnapshotsMayHoldWhatTheOptionsAdd) {
  EXPECT_EQ(*SnapshotNamed(kOptions, " a$1 "), "a$1");
  for (const char* bad : {"", " ", "$a", "a b", "a-b"})
    EXPECT_FALSE(SnapshotNamed(kOptions, bad).ok()) << bad;
  ProxyOptions options;
  options.name_extra = "-.";
  EXPECT_EQ(*SnapshotNamed(options, "a-b.c"), "a-b.c");
  EXPECT_FALSE(SnapshotNamed(options, "a$").ok());
}

TEST(Names, OfFieldsAreNotReservedWords) {
  EXPECT_TRUE(CheckFieldName(kOptions, "color").ok());
  EXPECT_TRUE(CheckFieldName(kOptions, "and_").ok());
  for (const char* bad :
       {"like", "and", "$meta", "Null", "RowID", "exists", "json_contains", "1a"}) {
    EXPECT_EQ(CheckFieldName(kOptions, bad).code(), ErrorCode::kInvalidFieldName) << bad;
  }
}

TEST(Numbers, AreReadWholeWithTheirPrefixes) {
  EXPECT_EQ(*ParseInt("k", "10"), 10);
  EXPECT_EQ(*ParseInt("k", "-3"), -3);
  EXPECT_EQ(*ParseInt("k", "0x10"), 16);
  EXPECT_EQ(*ParseInt("k", "010"), 8);
  for (const char* bad : {"", "1.0", "a", "1 ", "--1", "99999999999999999999"}) {
    EXPECT_EQ(ParseInt("k", bad).status().code(), ErrorCode::kInvalidParameter) << bad;
  }
  EXPECT_TRUE(*ParseBool("k", "True"));
  EXPECT_FALSE(*ParseBool("k", "0"));
  EXPECT_FALSE(ParseBool("k", "yes").ok());
}

model::CollectionSchema Good() {
  model::CollectionSchema schema;
  schema.name = "c";
  schema.fields.push_back({.name = "id", .type = DataType::kInt64, .is_primary_key = true});
  schema.fields.push_back(
      {.name = "vec", .type = DataType::kFloatVector, .type_params = {{"dim", "8"}}});
  return schema;
}

// A struct "s" of a number and of vectors.
model::CollectionSchema WithStruct() {
  model::CollectionSchema schema = Good();
  schema.structs.push_back({.name = "s"});
  schema.fields.push_back({.name = "s[n]",
                           .type = DataType::kArray,
                           .element_type = DataType::kInt64,
                           .type_params = {{"max_capacity", "4"}},
                           .struct_name = "s"});
  schema.fields.push_back({.name = "s[v]",
                           .type = DataType::kArrayOfVector,
                           .element_type = DataType::kFloatVector,
                           .type_params = {{"dim", "8"}, {"max_capacity", "4"}},
                           .struct_name = "s"});
  return schema;
}

struct Fault {
  const char* what;
  std::function<void(model::CollectionSchema&)> make;
  ErrorCode code;
};

TEST(Schema, EachFaultOfAStructHasItsCode) {
  EXPECT_TRUE(CheckSchema(kOptions, WithStruct()).ok());
  const auto sub = [](auto change) {
    return [change](model::CollectionSchema& schema) { change(schema.fields[3]); };
  };
  const Fault faults[] = {
      {"no sub-fields", [](auto& s) { s.fields.resize(2); }, ErrorCode::kInvalidParameter},
      {"reserved name",
       [](auto& s) {
         s.structs[0].name = "like";
         s.fields[2].struct_name = s.fields[3].struct_name = "like";
       },
       ErrorCode::kInvalidFieldName},
      {"the name of a field",
       [](auto& s) {
         s.structs[0].name = "id";
         s.fields[2].struct_name = s.fields[3].struct_name = "id";
       },
       ErrorCode::kInvalidParameter},
      {"a sub-field twice", sub([](auto& f) { f.name = "s[n]"; }), ErrorCode::kInvalidParameter},
      {"a bad sub-name", sub([](auto& f) { f.name = "s[1a]"; }), ErrorCode::kInvalidFieldName},
      {"a system name", sub([](auto& f) { f.name = "s[RowID]"; }), ErrorCode::kInvalidFieldName},
      {"a sub-field that is no array", sub([](auto& f) { f.type = DataType::kInt64; }),
       ErrorCode::kInvalidParameter},
      {"sparse vectors", sub([](auto& f) { f.element_type = DataType::kSparseFloatVector; }),
       ErrorCode::kInvalidParameter},
      {"vectors of no type", sub([](auto& f) { f.element_type = DataType::kInt64; }),
       ErrorCode::kInvalidParameter},
      {"a dim of 1", sub([](auto& f) {
         f.type_params = {{"dim", "1"}, {"max_capacity", "4"}};
       }),
       ErrorCode::kInvalidParameter},
      {"no capacity", sub([](auto& f) {
         f.type_params = {{"dim", "8"}};
       }),
       ErrorCode::kMissingParameter},
      {"another capacity", sub([](auto& f) {
         f.type_params = {{"dim", "8"}, {"max_capacity", "5"}};
       }),
       ErrorCode::kInvalidParameter},
      {"a capacity above the limit", sub([](auto& f) {
         f.type_params = {{"dim", "8"}, {"max_capacity", "4097"}};
       }),
       ErrorCode::kInvalidParameter},
      {"a nullable sub-field", sub([](auto& f) { f.nullable = true; }),
       ErrorCode::kInvalidParameter},
      {"a key", sub([](auto& f) { f.is_primary_key = true; }), ErrorCode::kInvalidParameter},
      {"auto ids", sub([](auto& f) { f.auto_id = true; }), ErrorCode::kInvalidParameter},
      {"a default", sub([](auto& f) { f.default_value = model::Scalar(int64_t{1}); }),
       ErrorCode::kInvalidParameter},
      {"a partition key", sub([](auto& f) { f.is_partition_key = true; }),
       ErrorCode::kIllegalSchema},
      {"a clustering key", sub([](auto& f) { f.is_clustering_key = true; }),
       ErrorCode::kIllegalSchema},
      {"lists of vectors outside of a struct", sub([](auto& f) {
         f.name = "v2";
         f.struct_name.clear();
       }),
       ErrorCode::kInvalidParameter},
  };
  for (const Fault& fault : faults) {
    model::CollectionSchema schema = WithStruct();
    fault.make(schema);
    EXPECT_EQ(CheckSchema(kOptions, schema).code(), fault.code) << fault.what;
  }
}

TEST(Names, OfIndexesMayHoldBrackets) {
  EXPECT_TRUE(CheckIndexName(kOptions, "clips[embedding]").ok());
  for (const char* bad : {"", "[a]", "a b", "a.b[c]"}) {
    EXPECT_EQ(CheckIndexName(kOptions, bad).code(), ErrorCode::kInvalidParameter) << bad;
  }
}

TEST(Schema, EachFaultHasItsCode) {
  EXPECT_TRUE(CheckSchema(kOptions, Good()).ok());
  const auto extra = [](model::FieldSchema field) {
    return [field](model::CollectionSchema& schema) { schema.fields.push_back(field); };
  };
  const Fault faults[] = {
      {"no vector", [](auto& s) { s.fields.pop_back(); }, ErrorCode::kInvalidParameter},
      {"no key", [](auto& s) { s.fields[0].is_primary_key = false; }, ErrorCode::kMissingParameter},
      {"two keys", extra({.name = "k", .type = DataType::kInt64, .is_primary_key = true}),
       ErrorCode::kInvalidParameter},
      {"float key", [](auto& s) { s.fields[0].type = DataType::kFloat; },
       ErrorCode::kInvalidParameter},
      {"nullable key", [](auto& s) { s.fields[0].nullable = true; }, ErrorCode::kInvalidParameter},
      {"bad name", [](auto& s) { s.name = "a b"; }, ErrorCode::kInvalidParameter},
      {"long description", [](auto& s) { s.description = std::string(1025, 'x'); },
       ErrorCode::kInvalidParameter},
      {"system name", extra({.name = "RowID", .type = DataType::kInt64}),
       ErrorCode::kInvalidFieldName},
      {"reserved name", extra({.name = "like", .type = DataType::kInt64}),
       ErrorCode::kInvalidFieldName},
      {"same name twice", extra({.name = "id", .type = DataType::kInt64}),
       ErrorCode::kInvalidParameter},
      {"auto id beside the key", extra({.name = "x", .type = DataType::kInt64, .auto_id = true}),
       ErrorCode::kInvalidParameter},
      {"dynamic by hand", extra({.name = "x", .type = DataType::kJson, .is_dynamic = true}),
       ErrorCode::kInvalidParameter},
      {"text without length", extra({.name = "x", .type = DataType::kVarChar}),
       ErrorCode::kMissingParameter},
      {"text of length 0",
       extra({.name = "x", .type = DataType::kVarChar, .type_params = {{"max_length", "0"}}}),
       ErrorCode::kInvalidParameter},
      {"string", extra({.name = "x", .type = DataType::kString}), ErrorCode::kInvalidParameter},
      {"array without capacity",
       extra({.name = "x", .type = DataType::kArray, .element_type = DataType::kInt64}),
       ErrorCode::kMissingParameter},
      {"array of JSON",
       extra({.name = "x",
              .type = DataType::kArray,
              .element_type = DataType::kJson,
              .type_params = {{"max_capacity", "4"}}}),
       ErrorCode::kInvalidParameter},
      {"dim missing", [](auto& s) { s.fields[1].type_params.clear(); },
       ErrorCode::kInvalidParameter},
      {"dim 1",
       [](auto& s) {
         s.fields[1].type_params = {{"dim", "1"}};
       },
       ErrorCode::kInvalidParameter},
      {"dim too large",
       [](auto& s) {
         s.fields[1].type_params = {{"dim", "32769"}};
       },
       ErrorCode::kInvalidParameter},
      {"dim no number",
       [](auto& s) {
         s.fields[1].type_params = {{"dim", "x"}};
       },
       ErrorCode::kUnexpected},
      {"default of another type",
       extra({.name = "x",
              .type = DataType::kInt8,
              .default_value = model::Scalar(std::string("a"))}),
       ErrorCode::kInvalidParameter},
      {"default out of range",
       extra({.name = "x", .type = DataType::kInt8, .default_value = model::Scalar(int64_t{200})}),
       ErrorCode::kInvalidParameter},
      {"default that is no number",
       extra({.name = "x", .type = DataType::kDouble, .default_value = model::Scalar(NAN)}),
       ErrorCode::kInvalidParameter},
      {"default without end",
       extra({.name = "x", .type = DataType::kFloat, .default_value = model::Scalar(-INFINITY)}),
       ErrorCode::kInvalidParameter},
      {"default that no float holds",
       extra({.name = "x", .type = DataType::kFloat, .default_value = model::Scalar(1e39)}),
       ErrorCode::kInvalidParameter},
      {"default of JSON",
       extra({.name = "x",
              .type = DataType::kJson,
              .default_value = model::Scalar(std::string("{}"))}),
       ErrorCode::kInvalidParameter},
      {"default of a geometry that is no text",
       extra({.name = "x",
              .type = DataType::kGeometry,
              .default_value = model::Scalar(int64_t{200})}),
       ErrorCode::kInvalidParameter},
      {"default of a geometry that is too long",
       extra({.name = "x",
              .type = DataType::kGeometry,
              .default_value = model::Scalar(std::string(2097153, '1'))}),
       ErrorCode::kInvalidParameter},
      {"an array of geometries",
       extra({.name = "x",
              .type = DataType::kArray,
              .element_type = DataType::kGeometry,
              .type_params = {{"max_capacity", "4"}}}),
       ErrorCode::kInvalidParameter},
      {"a geometry as clustering key",
       extra({.name = "x", .type = DataType::kGeometry, .is_clustering_key = true}),
       ErrorCode::kIllegalSchema},
  };
  for (const Fault& fault : faults) {
    model::CollectionSchema schema = Good();
    fault.make(schema);
    EXPECT_EQ(CheckSchema(kOptions, schema).code(), fault.code) << fault.what;
  }
  model::CollectionSchema many = Good();
  for (int i = 0; i < 63; ++i)
    many.fields.push_back({.name = "f" + std::to_string(i), .type = DataType::kInt64});
  EXPECT_EQ(CheckSchema(kOptions, many).code(), ErrorCode::kInvalidParameter);
}

model::FieldSchema VectorField(DataType type, const char* dim) {
  model::FieldSchema field{.name = "v", .type = type};
  if (dim != nullptr) field.type_params = {{"dim", dim}};
  return field;
}

ErrorCode CodeWith(model::FieldSchema field) {
  model::CollectionSchema schema = Good();
  schema.fields.push_back(std::move(field));
  return CheckSchema(kOptions, schema).code();
}

TEST(Schema, TakesEveryTypeOfVectorWithTheDimsOfItsKind) {
  using enum DataType;
  for (const DataType type : {kFloatVector, kFloat16Vector, kBFloat16Vector, kInt8Vector}) {
    SCOPED_TRACE(NameOf(type));
    for (const char* good : {"2", "3", "32768"})
      EXPECT_EQ(CodeWith(VectorField(type, good)), ErrorCode::kOk) << good;
    for (const char* bad : {"1", "0", "-8", "32769"})
      EXPECT_EQ(CodeWith(VectorField(type, bad)), ErrorCode::kInvalidParameter) << bad;
    EXPECT_EQ(CodeWith(VectorField(type, nullptr)), ErrorCode::kInvalidParameter);
  }
  for (const char* good : {"8", "16", "262144"})
    EXPECT_EQ(CodeWith(VectorField(kBinaryVector, good)), ErrorCode::kOk) << good;
  for (const char* bad : {"0", "4", "12", "262152"})
    EXPECT_EQ(CodeWith(VectorField(kBinaryVector, bad)), ErrorCode::kInvalidParameter) << bad;
  EXPECT_EQ(CodeWith(VectorField(kSparseFloatVector, nullptr)), ErrorCode::kOk);
  EXPECT_EQ(CodeWith(VectorField(kSparseFloatVector, "8")), ErrorCode::kInvalidParameter);
  EXPECT_EQ(CodeWith(VectorField(kArrayOfVector, "8")), ErrorCode::kInvalidParameter);
}

TEST(Schema, LetsVectorsBeNullButNeitherDefaultedNorAKey) {
  for (const DataType type : {DataType::kFloatVector, DataType::kBinaryVector,
                              DataType::kSparseFloatVector, DataType::kInt8Vector}) {
    SCOPED_TRACE(NameOf(type));
    const model::FieldSchema plain =
        VectorField(type, type == DataType::kSparseFloatVector ? nullptr : "8");
    model::FieldSchema nullable = plain;
    nullable.nullable = true;
    EXPECT_EQ(CodeWith(nullable), ErrorCode::kOk);
    model::FieldSchema defaulted = plain;
    defaulted.default_value = model::Scalar(std::string("[0]"));
    EXPECT_EQ(CodeWith(defaulted), ErrorCode::kInvalidParameter);
    model::FieldSchema partition_key = plain;
    partition_key.is_partition_key = true;
    EXPECT_EQ(CodeWith(partition_key), ErrorCode::kInvalidParameter);
    model::FieldSchema key = plain;
    key.is_primary_key = true;
    EXPECT_EQ(CodeWith(key), ErrorCode::kInvalidParameter);
    model::FieldSchema counted = plain;
    counted.auto_id = true;
    EXPECT_EQ(CodeWith(counted), ErrorCode::kInvalidParameter);
  }
  model::FieldSchema clustering = VectorField(DataType::kBinaryVector, "8");
  clustering.is_clustering_key = true;
  EXPECT_EQ(CodeWith(clustering), ErrorCode::kIllegalSchema);
}

TEST(Schema, HasAtMostTenVectors) {
  model::CollectionSchema schema = Good();
  for (int i = 1; i < 10; ++i) {
    schema.fields.push_back(VectorField(DataType::kSparseFloatVector, nullptr));
    schema.fields.back().name += std::to_string(i);
  }
  EXPECT_TRUE(CheckSchema(kOptions, schema).ok());
  schema.fields.push_back(VectorField(DataType::kSparseFloatVector, nullptr));
  EXPECT_EQ(CheckSchema(kOptions, schema).code(), ErrorCode::kInvalidParameter);
}

}  // namespace
}  // namespace elanus::proxy
